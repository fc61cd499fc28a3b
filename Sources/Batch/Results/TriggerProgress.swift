package import History

/// What has become of a trigger, as far as this user can tell.
package enum TriggerProgress: Sendable {
  case pending
  /// A run has claimed it, and there is no final record yet.
  case claimed
  /// A run has claimed it, and this user may not read how it ended.
  case unreadable
  case done(HistoryRecord)
}
