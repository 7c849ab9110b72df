internal import CTandemKernel
internal import TandemJSON

/// The process-wide log of tandem_set_log.
enum Log {
    static func write(_ level: Int32, _ message: String, _ fields: JSONText) {
        guard level <= libtandem_log_level() else { return }
        var record = Array(
            JSONWriter.object { writer in
                writer.member("level", Int64(level))
                writer.member("message", message)
                writer.member("fields", fields)
            }.bytes
        )
        record.append(0)
        unsafe record.withUnsafeBytes { bytes in
            unsafe libtandem_log(level, bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
        }
    }
}
