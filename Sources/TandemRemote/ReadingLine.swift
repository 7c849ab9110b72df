internal import TandemContract
internal import TandemSystem

/// What streams ask the engine for, a few at a time: an engine that has just come back has enough to do.
///
/// On the loop's thread only.
final class ReadingLine: @unchecked Sendable {
    private struct Reading {
        let operation: Operation
        let request: Request
        let finish: (Result<Reply, Failure>) -> Void
    }

    private var waiting: [Reading] = []
    private var running = 0

    private static let limit = 8
    private static let milliseconds: Int64 = 20_000

    func read(
        _ operation: Operation,
        _ request: Request,
        _ remote: Remote,
        _ finish: @escaping (Result<Reply, Failure>) -> Void
    ) {
        waiting.append(Reading(operation: operation, request: request, finish: finish))
        advance(remote)
    }

    private func advance(_ remote: Remote) {
        while running < ReadingLine.limit, !waiting.isEmpty {
            let reading = waiting.removeFirst()
            running += 1
            send(reading, remote)
        }
    }

    private func send(_ reading: Reading, _ remote: Remote) {
        do throws(Failure) {
            let call = Call(deadline: Deadline(afterMilliseconds: ReadingLine.milliseconds))
            let http = try remote.builder.make(reading.operation, reading.request, call.options)
            let timer = remote.loop.after(call.deadline) { call.cancel() }
            StartedCall(remote, reading.operation, http, call) { [weak self, weak remote] result in
                call.finish()
                reading.finish(ReadingLine.refused(result, reading.operation))
                guard let self, let remote else { return }
                remote.loop.cancelTimer(timer)
                running -= 1
                advance(remote)
            }.begin()
        } catch {
            running -= 1
            reading.finish(.failure(error))
        }
    }

    private static func refused(_ result: Result<Reply, Failure>, _ operation: Operation) -> Result<Reply, Failure> {
        Remote.refusal(result, operation).map { .failure($0) } ?? result
    }
}
