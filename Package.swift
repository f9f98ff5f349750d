// swift-tools-version: 6.2
import PackageDescription

// One section per module, bottom layer first; arrows only point down (docs/architecture.md,
// Tests/ArchitectureTests holds every import against the same table).

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

// The readers of what others wrote, fed by libFuzzer (scripts/fuzz) where this is set; else their kept cases by a test.
let isFuzzing = Context.environment["PATCHD_FUZZ"] != nil

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let fuzzed: [Target.Dependency] = [
    "PatchArchive", "PatchConfig", "PatchFiles", "PatchJSON", "PatchLedger", "PatchModel", "PatchSQL", "Supervisor",
]

let package = Package(
    name: "patchd",
    products: [
        .executable(name: "patchd", targets: ["patchd"]),
        .executable(name: "patchd-worker", targets: ["patchd-worker"]),
        .executable(name: "patchctl", targets: ["patchctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C edges: each is imported by exactly one Swift module.
        .target(name: "CLinux"),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        // Declarations only: the library is loaded when a folder needs it.
        .systemLibrary(name: "CFirebird"),

        // Values and pure decisions: no I/O.
        .target(name: "PatchJSON", swiftSettings: settings),
        .target(name: "PatchModel", dependencies: ["PatchJSON"], swiftSettings: settings),
        .target(name: "PatchPlan", dependencies: ["PatchJSON", "PatchModel"], swiftSettings: settings),

        // One concern of the outside world each.
        .target(name: "PatchFiles", dependencies: ["CLinux", "CCrypto"], swiftSettings: settings),
        .target(
            name: "PatchArchive", dependencies: ["CArchive", "PatchFiles", "PatchJSON", "PatchModel"],
            swiftSettings: settings),
        .target(name: "PatchConfig", dependencies: ["CYAML", "PatchJSON", "PatchModel"], swiftSettings: settings),
        .target(name: "PatchLedger", dependencies: ["PatchFiles", "PatchJSON", "PatchModel"], swiftSettings: settings),
        .target(
            name: "PatchSQL", dependencies: ["CFirebird", "CSQLite", "PatchFiles", "PatchJSON", "PatchModel"],
            swiftSettings: settings),
        .target(name: "PatchStore", dependencies: ["PatchFiles", "PatchJSON", "PatchModel"], swiftSettings: settings),
        .target(
            name: "PatchSteps",
            dependencies: ["PatchFiles", "PatchLedger", "PatchJSON", "PatchModel", "PatchSQL"],
            swiftSettings: settings),
        .target(name: "Systemd", dependencies: ["CSystemd", logging], swiftSettings: settings),
        .target(
            name: "Supervisor",
            dependencies: [
                "PatchConfig", "PatchFiles", "PatchLedger", "PatchJSON", "PatchModel", "PatchPlan", "PatchStore",
                logging,
            ],
            swiftSettings: settings),

        // Programs: parse the command line, put the parts together.
        .executableTarget(
            name: "patchd",
            dependencies: [
                "PatchConfig", "PatchFiles", "PatchJSON", "PatchModel", "Supervisor", "Systemd", logging,
                argumentParser,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "patchd-worker",
            dependencies: ["PatchArchive", "PatchFiles", "PatchJSON", "PatchModel", "PatchSteps", argumentParser],
            swiftSettings: settings),
        .executableTarget(
            name: "patchctl",
            dependencies: [
                "PatchConfig", "PatchFiles", "PatchLedger", "PatchJSON", "PatchModel", "PatchPlan", "PatchStore",
                "Systemd",
                argumentParser,
            ],
            swiftSettings: settings),

        // Tests, a target a module.
        .testTarget(
            name: "PatchModelTests", dependencies: ["PatchJSON", "PatchModel", "Support"], swiftSettings: settings),
        .testTarget(
            name: "PatchPlanTests", dependencies: ["PatchJSON", "PatchModel", "PatchPlan"], swiftSettings: settings),
        .testTarget(name: "PatchFilesTests", dependencies: ["PatchFiles"], swiftSettings: settings),
        .testTarget(
            name: "PatchArchiveTests",
            dependencies: ["PatchArchive", "PatchFiles", "PatchJSON", "PatchModel", "Support"],
            swiftSettings: settings),
        .testTarget(
            name: "PatchConfigTests", dependencies: ["PatchConfig", "PatchJSON", "PatchModel"], swiftSettings: settings),
        .testTarget(
            name: "PatchLedgerTests", dependencies: ["PatchLedger", "PatchFiles", "PatchJSON", "PatchModel"],
            swiftSettings: settings),
        .testTarget(
            name: "PatchStoreTests", dependencies: ["PatchStore", "PatchFiles", "PatchJSON", "PatchModel"],
            swiftSettings: settings),
        .testTarget(
            name: "SupervisorTests",
            dependencies: [
                "Supervisor", "PatchFiles", "PatchJSON", "PatchLedger", "PatchModel", "PatchStore", "Support", logging,
            ],
            swiftSettings: settings),
        .testTarget(name: "SystemdTests", dependencies: ["Systemd", logging], swiftSettings: settings),
        .testTarget(
            name: "PatchStepsTests",
            dependencies: ["PatchSteps", "PatchFiles", "PatchLedger", "PatchJSON", "PatchModel", "PatchSQL"],
            swiftSettings: settings),
        // CSQLite, so that a test can end the process in the middle of SQLite's own writes; CFirebird, to wait for events.
        .testTarget(
            name: "PatchSQLTests",
            dependencies: ["CFirebird", "CSQLite", "PatchSQL", "PatchFiles", "PatchJSON", "PatchModel", "Support"],
            swiftSettings: settings),
        .testTarget(name: "ArchitectureTests", swiftSettings: settings),
        // The three programs as an admin runs them, on real files.
        .target(name: "Support", path: "Tests/Support", swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests", dependencies: ["PatchFiles", "Support"], exclude: ["Fixtures"],
            swiftSettings: settings),
        // The same, cut off at every point; scripts/crash-matrix runs all of it.
        .target(name: "CMounts", path: "Tests/CMounts"),
        .testTarget(
            name: "CrashTests", dependencies: ["CMounts", "PatchFiles", "PatchLedger", "Support"],
            swiftSettings: settings),
        // The same in a systemd of its own, booted for each test.
        .testTarget(
            name: "BootedTests", dependencies: ["Support"], exclude: ["machine.sh"], swiftSettings: settings),
        // Random sequences of commands, held against a small model of the contract.
        .testTarget(name: "ModelBasedTests", dependencies: ["Support"], swiftSettings: settings),
        // Every reader of what others wrote, fed with what was once found to harm one.
        isFuzzing
            ? .executableTarget(
                name: "patchd-fuzz", dependencies: fuzzed, path: "Tests/Fuzzing",
                exclude: ["Seeds", "Found", "Tests"], sources: ["Targets", "Driver"], swiftSettings: settings)
            : .testTarget(
                name: "FuzzingTests", dependencies: fuzzed + ["Support"], path: "Tests/Fuzzing",
                exclude: ["Seeds", "Found", "Driver"], sources: ["Targets", "Tests"], swiftSettings: settings),
    ]
)
