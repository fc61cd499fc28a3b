import FoundationEssentials
package import History
package import Posix
package import Spool
import Text

/// The document in `done/` or `failed/`: the answer, the history record, and the trigger's own text.
package enum ResultDocument {
  /// One line of JSON.
  package static func bytes(_ record: HistoryRecord, trigger: FileName, content: [UInt8]) -> [UInt8] {
    JSONValue.object(
      TriggerAnswer(record, trigger: trigger).fields + [
        ("record", record.json), ("content", .string(TriggerText.shown(content))),
      ]
    ).line
  }

  /// The history record in a document; nil for anything but a document.
  package static func record(_ bytes: [UInt8]) -> HistoryRecord? {
    struct Document: Decodable { let record: HistoryRecord }
    return try? JSONDecoder().decode(Document.self, from: Data(bytes)).record
  }

  /// Where the claim of a recorded trigger goes, with the document if it goes to `done/` or `failed/`.
  package static func disposition(
    of record: HistoryRecord, trigger: FileName, content: [UInt8]
  ) -> Disposition {
    let folder = record.outcome.folder
    return SpoolFolder.results.contains(folder)
      ? .result(folder, bytes(record, trigger: trigger, content: content)) : .moved(folder)
  }
}
