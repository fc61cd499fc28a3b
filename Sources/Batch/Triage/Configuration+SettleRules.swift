package import Channels
package import Spool

extension Configuration {
  /// When a file in the spool counts as complete.
  package var settleRules: SettleRules { SettleRules(settle: settle, rest: rest) }
}
