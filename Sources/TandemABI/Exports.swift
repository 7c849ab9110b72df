// swift-format-ignore-file: AlwaysUseLowerCamelCase
// What these functions do is said in include/tandem.h.

internal import CTandem
internal import CTandemKernel
internal import Glibc
internal import TandemClient
internal import TandemContract
internal import TandemJSON

@_cdecl("tandem_open") @implementation
public func tandem_open(
    _ config_json: UnsafePointer<CChar>?,
    _ error_json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> OpaquePointer? {
    if let place = unsafe error_json { unsafe place.pointee = nil }
    let refusal = libtandem_refusal(nil, LIBTANDEM_EXPORT_PLAIN)
    guard refusal == 0 else {
        unsafe give(libtandem_refusal_text(refusal), to: error_json)
        return nil
    }
    do throws(Failure) {
        return try unsafe Opening.open(jsonObject(config_json, "config_json"))
    } catch {
        unsafe give(cString(error), to: error_json)
        return nil
    }
}

@_cdecl("tandem_stats") @implementation
public func tandem_stats(_ c: OpaquePointer?) -> UnsafeMutablePointer<CChar>? {
    let refusal = unsafe libtandem_refusal(c, LIBTANDEM_EXPORT_PLAIN)
    guard refusal == 0 else { return unsafe libtandem_refusal_text(refusal) }
    guard let client = unsafe ClientTable.find(c) else { return unsafe libtandem_refusal_text(FailureName.closed.code) }
    return unsafe cString(JSONWriter.object { $0.member("ok", client.stats()) })
}

@_cdecl("tandem_submit") @implementation
public func tandem_submit(
    _ c: OpaquePointer?,
    _ op: UnsafePointer<CChar>?,
    _ args_json: UnsafePointer<CChar>?,
    _ error_json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> UInt64 {
    if let place = unsafe error_json { unsafe place.pointee = nil }
    let refusal = unsafe libtandem_refusal(c, LIBTANDEM_EXPORT_PLAIN)
    guard refusal == 0 else {
        unsafe give(libtandem_refusal_text(refusal), to: error_json)
        return 0
    }
    return unsafe submit(c, op, args_json, nil, error_json)
}

@_cdecl("tandem_cancel") @implementation
public func tandem_cancel(_ c: OpaquePointer?, _ op: UInt64) -> Int32 {
    unsafe withClient(c) { client in
        if op == UInt64.max {
            client.cancelAll()
            return TANDEM_OK
        }
        return status(of: client.cancel(op))
    }
}

@_cdecl("tandem_pause") @implementation
public func tandem_pause(_ c: OpaquePointer?, _ op: UInt64, _ on: Int32) -> Int32 {
    unsafe withClient(c) { client in
        if op == UInt64.max {
            client.pauseAll(on != 0)
            return TANDEM_OK
        }
        return status(of: client.pause(op, on != 0))
    }
}

/// Runs `body` where the calling thread may come here and the client is open; else the status that says why not.
@unsafe func withClient(_ c: OpaquePointer?, _ body: (Client) -> Int32) -> Int32 {
    let refusal = unsafe libtandem_refusal(c, LIBTANDEM_EXPORT_PLAIN)
    guard refusal == 0 else { return refusal }
    guard let client = unsafe ClientTable.find(c) else { return FailureName.closed.code }
    return body(client)
}

private func status(of result: Client.CancelResult) -> Int32 {
    switch result {
    case .asked: TANDEM_OK
    case .over: TANDEM_ALREADY
    case .unknown: FailureName.invalidArgument.code
    }
}

@_cdecl("tandem_wakeup_fd") @implementation
public func tandem_wakeup_fd(_ c: OpaquePointer?) -> Int32 {
    unsafe withClient(c) { client in
        let descriptor = client.wakeupDescriptor()
        return descriptor >= 0 ? descriptor : FailureName.limit.code
    }
}

@_cdecl("tandem_status") @implementation
public func tandem_status(_ result_json: UnsafePointer<CChar>?) -> Int32 {
    let refusal = libtandem_refusal(nil, LIBTANDEM_EXPORT_PLAIN)
    guard refusal == 0 || refusal == FailureName.forked.code else { return refusal }
    guard let bytes = unsafe bytes(result_json) else { return FailureName.invalidArgument.code }
    // A result of ours has its verdict first, and is not read again for it.
    if bytes.starts(with: #"{"ok":"#.utf8), bytes.last == UInt8(ascii: "}") { return TANDEM_OK }
    guard let json = try? JSONText(checking: bytes) else { return FailureName.invalidArgument.code }
    if json["ok"] != nil { return TANDEM_OK }
    return json.at("error", "code")?.integer.map { Int32(clamping: $0) } ?? FailureName.invalidArgument.code
}

@_cdecl("tandem_describe") @implementation
public func tandem_describe(_ what: UnsafePointer<CChar>?) -> UnsafeMutablePointer<CChar>? {
    let refusal = libtandem_refusal(nil, LIBTANDEM_EXPORT_PLAIN)
    guard refusal == 0 else { return unsafe libtandem_refusal_text(refusal) }
    let what = unsafe name(what)
    guard let description = Operation.describe(what) else {
        let message = "nothing is called \"\(what)\"; there is: ops, op:<name>, events, errors, types"
        return unsafe cString(Failure(what.hasPrefix("op:") ? .unknownOperation : .invalidArgument, message))
    }
    return unsafe cString(JSONWriter.object { $0.member("ok", description) })
}

@_cdecl("tandem_get") @implementation
public func tandem_get(
    _ json: UnsafePointer<CChar>?,
    _ pointer: UnsafePointer<CChar>?
) -> UnsafeMutablePointer<CChar>? {
    let refusal = libtandem_refusal(nil, LIBTANDEM_EXPORT_PLAIN)
    guard refusal == 0 || refusal == FailureName.forked.code else { return nil }
    guard let text = unsafe bytes(json), let path = unsafe pointer.flatMap({ unsafe String(validatingCString: $0) }),
        let value = (try? JSONText(checking: text))?.value(at: path)
    else { return nil }
    guard let content = value.string else { return unsafe cString(value) }
    // A C string ends at its first NUL, so it cannot hold what has one inside.
    return unsafe content.utf8.contains(0) ? nil : cString(content.utf8)
}

@_cdecl("tandem_quote") @implementation
public func tandem_quote(_ text: UnsafePointer<CChar>?) -> UnsafeMutablePointer<CChar>? {
    let refusal = libtandem_refusal(nil, LIBTANDEM_EXPORT_PLAIN)
    guard refusal == 0 || refusal == FailureName.forked.code else { return nil }
    guard let content = unsafe text.flatMap({ unsafe String(validatingCString: $0) }) else { return nil }
    var writer = JSONWriter()
    writer.string(content)
    return unsafe cString(writer.finish())
}
