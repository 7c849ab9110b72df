/// Takes what a transfer brings: at most one head, then bytes, and last exactly one end.
///
/// All calls come on the loop's thread, with no lock held and from outside curl: they may start and cancel transfers.
/// (`end` alone comes on the thread that called `start` when the loop has already stopped.)
package protocol TransferReceiver: AnyObject, Sendable {
    /// False ends the transfer, with `.cancelled`.
    func head(_ head: ResponseHead) -> Bool
    /// What one read from the network brought of the body; false ends the transfer, with `.cancelled`.
    func bytes(_ bytes: [UInt8]) -> Bool
    /// The response is complete, or the transfer has failed.
    func end(_ failure: TransferError?)
}

/// Names one transfer of a loop.
package struct TransferID: Hashable, Sendable {
    let number: UInt64
}
