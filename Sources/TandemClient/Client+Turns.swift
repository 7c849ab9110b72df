package import TandemContract
package import TandemJSON
internal import TandemSystem

// Beginning a turn: either there is one to step, or it is over at once.
extension Client {
    package enum Beginning {
        case turn(Turn)
        case over(status: Int32, result: JSONText?)

        static func failed(_ failure: Failure, _ operation: String? = nil) -> Beginning {
            .over(status: failure.name.code, result: failure.json(operation: operation))
        }
    }

    package func beginPump(limit: Int32, timeoutMilliseconds: Int32, isNext: Bool) -> Beginning {
        let failure: Failure? = state.withLock { state in
            if state.isClosing { return Client.closedFailure }
            if state.isPumping { return Failure(.busy, "another thread pumps this client") }
            state.isPumping = true
            state.isArmed = true
            host.setBusy(true)
            return nil
        }
        if let failure { return .failed(failure) }
        let deadline = Deadline(afterMilliseconds: Int64(timeoutMilliseconds))
        return .turn(Turn(self, isNext ? .next : .pump, limit: limit > 0 ? Int(limit) : nil, deadline: deadline))
    }

    package func beginWait(_ id: UInt64, timeoutMilliseconds: Int32) -> Beginning {
        guard isOwn(id) else { return .failed(Failure(.invalidArgument, "\(id) is no operation of this client")) }
        let owned: Result<Mailbox.OwnResult, Failure> = state.withLock { state in
            state.isClosing ? .failure(Client.closedFailure) : .success(state.mailbox.own(id))
        }
        switch owned {
        case .failure(let failure): return .failed(failure)
        case .success(.busy): return .failed(Failure(.busy, "another thread waits for this operation"))
        case .success(.unknown): return .failed(Failure(.gone, "the operation's result was taken before"))
        case .success(.owned):
            // The pump may have been about to deliver what is now the waiter's.
            change { _ in }
            let deadline = Deadline(afterMilliseconds: Int64(timeoutMilliseconds))
            return .turn(Turn(self, .wait(id, nil), limit: nil, deadline: deadline))
        }
    }

    package func beginCall(_ operation: Operation, _ arguments: JSONText) -> Beginning {
        do throws(Failure) {
            let plan = try plan(operation, arguments)
            if operation.ownsRun {
                // Its run may ask the host, and this thread answers.
                let id = try submit(operation, plan, isOwned: true).get()
                return .turn(Turn(self, .wait(id, nil), limit: nil, deadline: .never))
            }
            guard operation.isOnlyStream else {
                switch answer(operation, plan) {
                case .success(let value): return .over(status: 0, result: JSONWriter.object { $0.member("ok", value) })
                case .failure(let failure): return .failed(failure, operation.name)
                }
            }
            try requireEnd(operation, plan)
            let id = try submit(operation, plan, collects: true).get()
            return .turn(Turn(self, .wait(id, operation), limit: nil, deadline: .never))
        } catch {
            return .failed(error, operation.name)
        }
    }

    /// A blocking call of a stream that never ends by itself has to say when it is enough (tandem.h, OPERATIONS).
    private func requireEnd(_ operation: Operation, _ plan: Plan) throws(Failure) {
        let followsRun = plan.request.query("runID") != nil || plan.request.path.contains { $0.name == "run_id" }
        let ends = operation.endsWithRun && followsRun
        guard
            ends || plan.options.take != nil || (plan.options.timeoutMilliseconds ?? -1) >= 0
                || !plan.options.reconnects
        else {
            throw Failure(
                .invalidArgument,
                "a blocking call of \(operation.name), which does not end by itself, needs $take or $timeout_ms"
            )
        }
    }
}
