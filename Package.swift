// swift-tools-version: 6.2
import PackageDescription

/// With `BOBBIN_FAILPOINTS` set, the C shim can be told to fail or die at its n-th call (see `CLinux/failpoint.h`).
/// The crash and fault tests build such a binary of their own; a release binary never contains it.
let isInstrumented = Context.environment["BOBBIN_FAILPOINTS"] != nil
let failpoints: [CSetting] = isInstrumented ? [.define("BOBBIN_FAILPOINTS")] : []

/// Strict concurrency, explicit existentials, imports that do not leak, and no warning left standing: in every target.
let strict: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
  ] + (isInstrumented ? [] : [.unsafeFlags(["-static-stdlib"], .when(configuration: .release))])

/// A release binary is one file without any library: it runs on every Linux of its processor, whatever C library that
/// has, and starts in less than half the time (nothing is left to relocate or to resolve). Linked by the toolchain's own
/// lld: the system's linker warns of functions that look users and hosts up, which Bobbin never calls.
let selfContained: [LinkerSetting] =
  isInstrumented ? [] : [.unsafeFlags(["-static-executable", "-use-ld=lld"], .when(configuration: .release))]

let package = Package(
  name: "bobbin",
  products: [.executable(name: "bobbin", targets: ["bobbin"])],
  targets: [
    // The layers, lowest first. A layer may use those above it in this list, never those below; Sources/README.md says
    // what each may know.
    .target(name: "CLinux", cSettings: failpoints),
    .target(name: "Text", swiftSettings: strict),
    .target(name: "Posix", dependencies: ["CLinux", "Text"], swiftSettings: strict),
    .target(name: "Spool", dependencies: ["Posix", "Text"], swiftSettings: strict),
    .target(name: "Channels", dependencies: ["Posix", "Text"], swiftSettings: strict),
    .target(name: "History", dependencies: ["Posix", "Spool", "Text"], swiftSettings: strict),
    .target(name: "Jobs", dependencies: ["Channels", "Posix", "Text"], swiftSettings: strict),
    .target(
      name: "Batch", dependencies: ["Channels", "History", "Jobs", "Posix", "Spool", "Text"],
      swiftSettings: strict),
    .executableTarget(
      name: "bobbin", dependencies: ["Batch", "Channels", "History", "Jobs", "Posix", "Spool", "Text"],
      swiftSettings: strict, linkerSettings: selfContained),

    // Measures the layers and the program: swift run -c release benchmark. No part of what is installed. It uses the
    // same settings, so that what it links in is what the program has; it depends on `bobbin` so that the program
    // is built, beside it, before it runs.
    .target(name: "CBenchmark", path: "Tests/CBenchmark"),
    .executableTarget(
      name: "benchmark", dependencies: ["CBenchmark", "History", "Posix", "Spool", "Text", "bobbin"],
      path: "Tests/Benchmark", exclude: ["drain-cost.svg", "README.md"], swiftSettings: strict,
      linkerSettings: selfContained),

    // Says when schedules have their moments, so that Tests/Proof/topics/schedules can compare them with others.
    .executableTarget(
      name: "moments", dependencies: ["Channels", "Posix"], path: "Tests/Proof/moments",
      swiftSettings: strict,
      linkerSettings: selfContained),

    // One folder of tests a layer; `BobbinTests` drives the program itself.
    .target(
      name: "TestSupport", dependencies: ["Posix", "Text"], path: "Tests/Support", swiftSettings: strict),
    .testTarget(name: "TextTests", dependencies: ["Text", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "PosixTests", dependencies: ["Posix", "TestSupport", "Text"], swiftSettings: strict),
    .testTarget(
      name: "SpoolTests", dependencies: ["Posix", "Spool", "TestSupport", "Text"], swiftSettings: strict),
    .testTarget(
      name: "ChannelsTests", dependencies: ["Channels", "Posix", "TestSupport", "Text"], swiftSettings: strict
    ),
    .testTarget(
      name: "HistoryTests", dependencies: ["History", "Posix", "Spool", "TestSupport", "Text"],
      swiftSettings: strict),
    .testTarget(
      name: "JobsTests", dependencies: ["Channels", "Jobs", "Posix", "TestSupport", "Text"],
      swiftSettings: strict),
    .testTarget(
      name: "BatchTests",
      dependencies: ["Batch", "Channels", "History", "Jobs", "Posix", "Spool", "TestSupport", "Text"],
      swiftSettings: strict),
    .testTarget(
      name: "BobbinTests", dependencies: ["bobbin", "Posix", "Spool", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "BenchmarkTests", dependencies: ["benchmark", "Posix", "TestSupport"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
