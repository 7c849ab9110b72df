// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let librarySettings: [SwiftSetting] =
    settings + [
        // Imported into every file otherwise, and 1.4 MB of the library: regular expressions and Swift's own tasks, which the
        // library has no use for.
        .unsafeFlags([
            "-Xfrontend", "-disable-implicit-string-processing-module-import",
            "-Xfrontend", "-disable-implicit-concurrency-module-import",
        ])
    ]

let testSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

let cSettings: [CSetting] = [
    .unsafeFlags(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"])
]

// `--wrap` keeps the static Swift runtime from taking the host's signal handlers and from reading its environment
// (CTandemSystem/runtime_guard.c); `nodelete` keeps the runtime mapped after dlclose.
let libraryLinkerFlags = [
    "-static-stdlib",
    // gold, the default here, lists local symbols in the dynamic table.
    "-use-ld=lld",
    "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/TandemABI/tandem.map",
    "-Xlinker", "-soname=libtandem.so.0",
    "-Xlinker", "-z", "-Xlinker", "nodelete",
    "-Xlinker", "--gc-sections",
    // Functions with the same instructions are kept once, 200 KB: nothing here tells functions apart by their addresses.
    "-Xlinker", "--icf=all",
    "-Xlinker", "--wrap=sigaction",
    "-Xlinker", "--wrap=sigaltstack",
]

func swift(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: librarySettings)
}

func c(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, cSettings: cSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name)] + dependencies,
        exclude: exclude,
        swiftSettings: testSettings
    )
}

let package = Package(
    name: "libtandem",
    products: [.library(name: "tandem", type: .dynamic, targets: ["TandemABI", "TandemOperations"])],
    targets: [
        .systemLibrary(name: "CTandem", path: "include"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl"),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson"),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
        c("CTandemSystem"),
        c("CTandemKernel", ["CTandem", "CTandemSystem"]),
        c("CTandemTable"),

        swift("TandemSystem", ["CTandemSystem"]),
        swift("TandemJSON", ["CJansson", "TandemSystem"]),
        swift("TandemContract", ["CTandemTable", "TandemJSON", "TandemSystem"]),
        swift("TandemHTTP", ["CCurl", "TandemSystem"]),
        swift("TandemStore", ["CSQLite", "TandemSystem"]),
        swift("TandemProviders", ["TandemHTTP", "TandemContract", "TandemJSON", "TandemSystem"]),
        swift(
            "TandemEngine",
            ["TandemStore", "TandemProviders", "TandemHTTP", "TandemContract", "TandemJSON", "TandemSystem"]
        ),
        swift("TandemRemote", ["TandemHTTP", "TandemContract", "TandemJSON", "TandemSystem"]),
        swift("TandemClient", ["TandemContract", "TandemJSON", "TandemSystem"]),
        swift("TandemOperations", ["CTandem", "CTandemKernel"]),
        .target(
            name: "TandemABI",
            dependencies: [
                "CTandem", "CTandemKernel", "CTandemSystem", "TandemClient", "TandemEngine", "TandemRemote",
                "TandemContract", "TandemHTTP", "TandemJSON", "TandemSystem",
            ],
            exclude: ["tandem.map"],
            swiftSettings: librarySettings,
            linkerSettings: [.unsafeFlags(libraryLinkerFlags)]
        ),
        .executableTarget(
            name: "tandem-generate",
            dependencies: ["TandemJSON", "TandemSystem"],
            swiftSettings: settings
        ),

        tests("TandemSystem"),
        tests("TandemJSON", ["TandemSystem"]),
        tests("TandemContract", ["TandemJSON"]),
        tests("TandemHTTP", ["TandemSystem"]),
        tests("TandemStore", ["TandemSystem"]),
        tests("TandemProviders", ["TandemHTTP", "TandemContract", "TandemJSON", "TandemSystem"]),
        tests("TandemEngine", ["TandemStore", "TandemProviders", "TandemContract", "TandemJSON", "TandemSystem"]),
        tests("TandemRemote", ["TandemClient", "TandemHTTP", "TandemContract", "TandemJSON", "TandemSystem"]),
        tests("TandemClient", ["TandemContract", "TandemJSON", "TandemSystem"]),
    ]
)
