/// Where a claim goes when it is finished.
package enum Disposition: Sendable {
  /// A result document in `done/` or `failed/` takes the place of the trigger.
  case result(SpoolFolder, [UInt8])
  /// The file itself moves into one of the folders for what was not run.
  case moved(SpoolFolder)
}
