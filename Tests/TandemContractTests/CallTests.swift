import TandemSystem
import Testing

@testable import TandemContract

@Suite struct CallTests {
    private final class Counter: Sendable {
        private let value = Lock(0)
        var count: Int { value.withLock { $0 } }
        func add() { value.withLock { $0 += 1 } }
    }

    private let counter = Counter()
    private let call = Call(deadline: .never)

    @Test func cancellingRunsWhatWasRegisteredOnce() {
        call.whenCancelled { [counter] in counter.add() }
        #expect(counter.count == 0)
        #expect(!call.isCancelled)
        call.cancel()
        call.cancel()
        #expect(counter.count == 1)
        #expect(call.isCancelled)
    }

    @Test func lateRegistrationRunsAtOnce() {
        call.cancel()
        call.whenCancelled { [counter] in counter.add() }
        #expect(counter.count == 1)
        call.cancel()
        #expect(counter.count == 1)
    }

    @Test func aCallThatIsOverStopsNothing() {
        call.whenCancelled { [counter] in counter.add() }
        call.finish()
        call.whenCancelled { [counter] in counter.add() }
        call.cancel()
        #expect(counter.count == 0)
    }

    @Test func resumingRunsEachTime() {
        call.whenResumed { [counter] in counter.add() }
        call.resume()
        call.resume()
        #expect(counter.count == 2)
    }

    @Test(arguments: [true, false]) func nothingResumesAfterTheEnd(isCancelled: Bool) {
        call.whenResumed { [counter] in counter.add() }
        if isCancelled { call.cancel() } else { call.finish() }
        call.resume()
        call.whenResumed { [counter] in counter.add() }
        call.resume()
        #expect(counter.count == 0)
    }

    @Test(arguments: [true, false]) func theEndLetsGoOfWhatClosuresHold(isCancelled: Bool) {
        weak var held: Counter?
        do {
            let other = Counter()
            held = other
            call.whenCancelled { other.add() }
            call.whenResumed { other.add() }
        }
        #expect(held != nil)
        if isCancelled { call.cancel() } else { call.finish() }
        #expect(held == nil)
    }

    @Test func cancellingFromWithinIsHarmless() {
        call.whenCancelled { [call, counter] in
            counter.add()
            call.cancel()
        }
        call.cancel()
        #expect(counter.count == 1)
    }
}
