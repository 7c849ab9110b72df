internal import Glibc
internal import TandemContract
internal import TandemJSON

/// A copy that the host frees with tandem_free; nil when there is no memory.
@unsafe func cString(_ bytes: some Collection<UInt8>) -> UnsafeMutablePointer<CChar>? {
    let count = bytes.count
    guard let memory = unsafe malloc(count + 1) else { return nil }
    let text = unsafe UnsafeMutableRawBufferPointer(start: memory, count: count + 1)
    unsafe text.copyBytes(from: bytes)
    unsafe text[count] = 0
    return unsafe memory.assumingMemoryBound(to: CChar.self)
}

@unsafe func cString(_ json: JSONText) -> UnsafeMutablePointer<CChar>? { unsafe cString(json.bytes) }

/// The error as a string that the host frees.
@unsafe func cString(_ failure: Failure, _ operation: String? = nil) -> UnsafeMutablePointer<CChar>? {
    unsafe cString(failure.json(operation: operation))
}

/// The bytes of a C string; nil for NULL.
@unsafe func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8]? {
    guard let text = unsafe text else { return nil }
    return unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
}

/// The JSON object a host gave as arguments or configuration; NULL means an empty one.
@unsafe func jsonObject(_ text: UnsafePointer<CChar>?, _ what: String) throws(Failure) -> JSONText {
    guard let bytes = unsafe bytes(text) else { return .emptyObject }
    let json: JSONText
    do throws(JSONError) { json = try JSONText(checking: bytes) } catch { throw Failure(error, in: what) }
    guard json.kind == .object else { throw Failure(.invalidArgument, "\(what) is no JSON object") }
    return json
}

/// A name that a host gave; a name that is no UTF-8 is nobody's.
@unsafe func name(_ text: UnsafePointer<CChar>?) -> String {
    unsafe text.flatMap { unsafe String(validatingCString: $0) } ?? ""
}

/// Hands an error out through `error_json`.
@unsafe func give(_ error: UnsafeMutablePointer<CChar>?, to place: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?)
{
    if let place = unsafe place { unsafe place.pointee = unsafe error } else { unsafe free(error) }
}
