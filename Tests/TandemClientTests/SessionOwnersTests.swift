import Testing

@testable import TandemClient

@Suite struct SessionOwnersTests {
    @Test func theRunsOwnerGoesBeforeOlderStreams() {
        var owners = SessionOwners()
        owners.begin(1, session: "s", ownsRun: false)
        owners.begin(2, session: "s", ownsRun: true)
        #expect(owners.owner(of: "s") == 2)
        owners.end(2)
        #expect(owners.owner(of: "s") == 1)
        owners.end(1)
        #expect(owners.owner(of: "s") == nil)
    }

    @Test func theOldestOfSeveralStreamsIsAsked() {
        var owners = SessionOwners()
        owners.begin(4, session: "s", ownsRun: false)
        owners.begin(3, session: "s", ownsRun: false)
        #expect(owners.owner(of: "s") == 4)
        #expect(owners.owner(of: "another") == nil)
    }

    @Test func aSessionIsAnsweredWhileAnOperationThatAnswersIsOpen() {
        var owners = SessionOwners()
        owners.begin(1, session: "s", ownsRun: true)
        #expect(!owners.isAnswered("s"))
        owners.begin(2, session: "s", ownsRun: true, answers: true)
        #expect(owners.isAnswered("s"))
        owners.end(2)
        #expect(!owners.isAnswered("s"))
    }
}
