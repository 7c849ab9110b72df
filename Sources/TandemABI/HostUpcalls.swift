internal import CTandem
internal import CTandemKernel
internal import TandemClient
internal import TandemContract
internal import TandemJSON

/// Offers something of the host's; 0 and an error where that cannot be.
func provide(
    _ handle: OpaquePointer?,
    _ spec: UnsafePointer<CChar>?,
    _ host: UnsafePointer<libtandem_host>?,
    _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> UInt64 {
    let function = unsafe host.map { unsafe HostFunction($0.pointee) }
    do throws(Failure) {
        guard let client = unsafe ClientTable.find(handle) else {
            throw Failure(.closed, "the client is closed or was never open")
        }
        let spec = try unsafe jsonObject(spec, "spec_json")
        return try client.provide(spec, function?.function == 0 ? nil : function).get()
    } catch let failure {
        unsafe give(cString(failure), to: error)
        return 0
    }
}

/// Takes an offer back, and leaves in `dropped` what nobody holds any more.
func withdraw(_ handle: OpaquePointer?, _ provider: UInt64, _ dropped: UnsafeMutablePointer<libtandem_host>?) -> Int32 {
    guard let client = unsafe ClientTable.find(handle) else { return FailureName.closed.code }
    let (status, function) = client.withdraw(provider)
    if let function, let dropped = unsafe dropped {
        unsafe dropped.pointee = libtandem_host(function: function.function, ud: function.context, drop: function.drop)
    }
    return status
}
