internal import CTandem
internal import CTandemKernel
internal import Glibc
internal import TandemClient
internal import TandemContract
internal import TandemJSON

// The Swift half of the kernel's C loops: each function returns before a callback runs.

@unsafe func installUpcalls() {
    var upcalls = unsafe libtandem_upcalls(
        begin: beginTurn,
        step: stepTurn,
        set_handler: setHandler,
        set_wakeup: setWakeup,
        stream: startStream,
        provide: provide,
        withdraw: withdraw
    )
    unsafe libtandem_install(&upcalls)
}

private func beginTurn(_ turn: UnsafeMutablePointer<libtandem_turn>?) {
    guard let turn = unsafe turn else { return }
    unsafe turn.pointee.state = nil
    switch unsafe beginning(turn) {
    case .turn(let begun): unsafe turn.pointee.state = Unmanaged.passRetained(begun).toOpaque()
    case .over(let status, let result): unsafe end(turn, status, result)
    }
}

@unsafe private func beginning(_ turn: UnsafeMutablePointer<libtandem_turn>) -> Client.Beginning {
    let call = unsafe turn.pointee
    if unsafe call.kind == LIBTANDEM_TURN_CLOSE { return unsafe beginClose(call) }
    guard let client = unsafe ClientTable.find(call.client) else {
        return .over(status: FailureName.closed.code, result: nil)
    }
    switch unsafe call.kind {
    case LIBTANDEM_TURN_PUMP, LIBTANDEM_TURN_NEXT:
        return unsafe client.beginPump(
            limit: call.max_events,
            timeoutMilliseconds: call.timeout_ms,
            isNext: call.kind == LIBTANDEM_TURN_NEXT
        )
    case LIBTANDEM_TURN_WAIT: return unsafe client.beginWait(call.op, timeoutMilliseconds: call.timeout_ms)
    case LIBTANDEM_TURN_CLOSE_LATER:
        return .over(status: client.startClosing() ? FailureName.pending.code : FailureName.closed.code, result: nil)
    default: return unsafe beginCall(client, call)
    }
}

@unsafe private func beginClose(_ call: libtandem_turn) -> Client.Beginning {
    guard let client = unsafe ClientTable.findClosing(call.client) else {
        return .over(status: FailureName.closed.code, result: nil)
    }
    return unsafe client.beginClose(timeoutMilliseconds: call.timeout_ms)
}

@unsafe private func beginCall(_ client: Client, _ call: libtandem_turn) -> Client.Beginning {
    do throws(Failure) {
        let operation =
            if unsafe call.operation < 0 {
                try unsafe operation(named: call.name)
            } else {
                Operation.numbered(OperationNumber(Int(unsafe call.operation)))
            }
        guard let operation else { throw Failure(.unknownOperation, "there is no such operation") }
        do throws(Failure) {
            return client.beginCall(operation, try unsafe jsonObject(call.args_json, "args_json"))
        } catch {
            return .over(status: error.name.code, result: error.json(operation: operation.name))
        }
    } catch {
        return .over(status: error.name.code, result: error.json(operation: nil))
    }
}

@unsafe func operation(named text: UnsafePointer<CChar>?) throws(Failure) -> Operation? {
    let name = unsafe name(text)
    if name.isEmpty { throw Failure(.invalidArgument, "op is NULL, empty or not UTF-8") }
    guard let found = Operation.named(name) else {
        throw Failure(.unknownOperation, "there is no operation \"\(name)\"; tandem_describe(\"ops\") lists them")
    }
    return found
}

private func stepTurn(_ turn: UnsafeMutablePointer<libtandem_turn>?) -> Int32 {
    guard let turn = unsafe turn, let state = unsafe turn.pointee.state else { return 0 }
    let running = unsafe Unmanaged<Turn>.fromOpaque(state)
    switch unsafe running.takeUnretainedValue().step() {
    case .event(let host, let operation, let text, let isHostCall):
        unsafe turn.pointee.action = LIBTANDEM_ACTION_EVENT
        unsafe turn.pointee.event_fn = unsafeBitCast(host.function, to: tandem_event_fn?.self)
        unsafe turn.pointee.ud = UnsafeMutableRawPointer(bitPattern: host.context)
        unsafe turn.pointee.event_op = operation
        unsafe turn.pointee.host_op = isHostCall ? operation : 0
        unsafe turn.pointee.json = cString(text)
        return 1
    case .hostCall(let host, let call, let operation, let text):
        unsafe turn.pointee.action = LIBTANDEM_ACTION_HOST_CALL
        unsafe turn.pointee.host_fn = unsafeBitCast(host.function, to: tandem_host_fn?.self)
        unsafe turn.pointee.ud = UnsafeMutableRawPointer(bitPattern: host.context)
        unsafe turn.pointee.host_call = call
        unsafe turn.pointee.host_op = operation
        unsafe turn.pointee.json = cString(text)
        return 1
    case .drop(let host):
        unsafe turn.pointee.action = LIBTANDEM_ACTION_DROP
        unsafe turn.pointee.drop_fn = unsafeBitCast(host.drop, to: tandem_notify_fn?.self)
        unsafe turn.pointee.ud = UnsafeMutableRawPointer(bitPattern: host.context)
        return 1
    case .over(let status, let result):
        if unsafe turn.pointee.kind == LIBTANDEM_TURN_CLOSE, status == 0 {
            unsafe ClientTable.remove(turn.pointee.client)
        }
        unsafe turn.pointee.state = nil
        unsafe running.release()
        unsafe end(turn, status, result)
        return 0
    }
}

@unsafe private func end(_ turn: UnsafeMutablePointer<libtandem_turn>, _ status: Int32, _ result: JSONText?) {
    unsafe turn.pointee.status = status
    unsafe turn.pointee.result = result.flatMap { unsafe cString($0) }
}

private func setHandler(_ handle: OpaquePointer?, _ host: UnsafeMutablePointer<libtandem_host>?) -> Int32 {
    unsafe replace(handle, host) { client, given in client.setHandler(given) }
}

private func setWakeup(_ handle: OpaquePointer?, _ host: UnsafeMutablePointer<libtandem_host>?) -> Int32 {
    unsafe replace(handle, host) { client, given in client.setWakeup(given) }
}

/// Puts the caller's function in force and gives back what nobody holds any more.
@unsafe private func replace(
    _ handle: OpaquePointer?,
    _ host: UnsafeMutablePointer<libtandem_host>?,
    _ put: (Client, HostFunction?) -> HostFunction?
) -> Int32 {
    guard let client = unsafe ClientTable.find(handle), let host = unsafe host else { return FailureName.closed.code }
    let given = unsafe HostFunction(host.pointee)
    let old = put(client, given.function == 0 ? nil : given)
    unsafe host.pointee = libtandem_host(function: old?.function ?? 0, ud: old?.context ?? 0, drop: old?.drop ?? 0)
    return 0
}

extension HostFunction {
    init(_ host: libtandem_host) {
        self.init(function: host.function, context: host.ud, drop: host.drop)
    }
}

private func startStream(
    _ handle: OpaquePointer?,
    _ name: UnsafePointer<CChar>?,
    _ arguments: UnsafePointer<CChar>?,
    _ host: UnsafePointer<libtandem_host>?,
    _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> UInt64 {
    let callback = unsafe host.map { unsafe HostFunction($0.pointee) }
    return unsafe submit(handle, name, arguments, callback?.function == 0 ? nil : callback, error)
}

/// Begins an operation; 0 and an error where it cannot.
@unsafe func submit(
    _ handle: OpaquePointer?,
    _ name: UnsafePointer<CChar>?,
    _ arguments: UnsafePointer<CChar>?,
    _ callback: HostFunction?,
    _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> UInt64 {
    var operationName: String?
    do throws(Failure) {
        guard let client = unsafe ClientTable.find(handle) else {
            throw Failure(.closed, "the client is closed or was never open")
        }
        guard let operation = try unsafe operation(named: name) else { return 0 }
        operationName = operation.name
        let plan = try unsafe client.plan(operation, jsonObject(arguments, "args_json"))
        return try client.submit(operation, plan, callback: callback).get()
    } catch let failure {
        unsafe give(cString(failure, operationName), to: error)
        return 0
    }
}
