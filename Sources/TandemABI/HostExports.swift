// swift-format-ignore-file: AlwaysUseLowerCamelCase
// What these functions do is said in include/tandem.h.

internal import CTandem
internal import CTandemKernel
internal import TandemClient
internal import TandemContract
internal import TandemJSON

@_cdecl("tandem_reply") @implementation
public func tandem_reply(_ c: OpaquePointer?, _ call: UInt64, _ result_json: UnsafePointer<CChar>?) -> Int32 {
    unsafe withClient(c) { client in client.reply(call, unsafe json(result_json, "result_json")) }
}

@_cdecl("tandem_reply_chunk") @implementation
public func tandem_reply_chunk(_ c: OpaquePointer?, _ call: UInt64, _ chunk_json: UnsafePointer<CChar>?) -> Int32 {
    unsafe withClient(c) { client in client.replyChunk(call, unsafe json(chunk_json, "chunk_json")) }
}

@_cdecl("tandem_reply_wanted") @implementation
public func tandem_reply_wanted(_ c: OpaquePointer?, _ call: UInt64) -> Int32 {
    unsafe withClient(c) { client in client.isReplyWanted(call) }
}

/// Any JSON value of the host's.
@unsafe private func json(_ text: UnsafePointer<CChar>?, _ what: String) -> Result<JSONText, Failure> {
    guard let bytes = unsafe bytes(text) else { return .failure(Failure(.invalidArgument, "\(what) is NULL")) }
    do throws(JSONError) { return .success(try JSONText(checking: bytes)) } catch {
        return .failure(Failure(error, in: what))
    }
}
