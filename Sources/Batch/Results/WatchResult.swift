/// Why `bobbin watch` ended.
package enum WatchResult: Sendable {
  case stopped(signal: Int32)
  /// The spool's path now leads to another directory or to nothing: nobody would drop triggers in the old directory.
  case spoolReplaced
}
