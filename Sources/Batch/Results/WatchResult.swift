/// Why `bobbin watch` ended.
package enum WatchResult: Sendable {
  case stopped(signal: Int32)
  /// The spool's path leads to another directory now, or to none: nobody would drop triggers where it watches.
  case spoolReplaced
}
