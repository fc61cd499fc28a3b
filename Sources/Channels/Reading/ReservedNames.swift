/// The names in the spool's top level that the lock and the library must not use.
///
/// The layer `Spool` knows these names, but this layer does not know `Spool`, so the program passes them in.
package struct ReservedNames: Sendable {
  /// The folders that belong to the batch: it removes old files there and makes files of its own.
  let folders: Set<String>
  /// Whether the batch keeps a file with this name in the spool, now or later.
  let isFile: @Sendable (String) -> Bool

  package init(folders: Set<String>, isFile: @escaping @Sendable (String) -> Bool) {
    self.folders = folders
    self.isFile = isFile
  }
}
