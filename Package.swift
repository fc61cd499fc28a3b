// swift-tools-version: 6.2
import PackageDescription

/// Strict concurrency, explicit existentials, imports that do not leak, and no warning left standing: in every target.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// With `BOBBIN_FAILPOINTS` set, the C shim can be told to fail or die at its n-th call (see `CLinux/failpoint.h`).
/// The crash and fault tests build such a binary of their own; a release binary never contains it.
let failpoints: [CSetting] =
  Context.environment["BOBBIN_FAILPOINTS"] == nil ? [] : [.define("BOBBIN_FAILPOINTS")]

let package = Package(
  name: "bobbin",
  products: [.executable(name: "bobbin", targets: ["bobbin"])],
  targets: [
    // The layers, lowest first. Each may use those above it in this list, never those below.
    .target(name: "CLinux", cSettings: failpoints),
    .target(name: "Posix", dependencies: ["CLinux"], swiftSettings: strict),
    .target(name: "Spool", dependencies: ["Posix"], swiftSettings: strict),
    .target(name: "Channels", dependencies: ["Posix"], swiftSettings: strict),
    .target(name: "Batch", dependencies: ["Posix", "Spool", "Channels"], swiftSettings: strict),
    .executableTarget(
      name: "bobbin", dependencies: ["Posix", "Spool", "Channels", "Batch"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
