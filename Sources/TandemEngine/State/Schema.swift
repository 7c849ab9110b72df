internal import TandemStore

/// The engine's tables: each namespace brings its own.
enum Schema {
    /// "tndm" in the database's header: whose file it is.
    static let application: Int32 = 0x746E_646D

    static let migrator = Migrator(
        application: application,
        Sessions.migrations + Runs.migrations + Events.migrations + Config.migrations + Permissions.migrations
            + Questions.migrations + TodoStore.migrations
    )
}
