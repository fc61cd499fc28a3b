import Posix
import Spool

/// Takes triggers out of the spool without running them: expired, rejected, cancelled.
struct TriggerRetirer {
  let store: SpoolStore
  let ids: HistoryIDs
  let claims: ClaimFolder
  let recorder: Recorder

  enum Result {
    case done
    /// It was not there any more. Another file that came in its place is looked at anew: under its name, or, should that
    /// be taken by yet another one, once it is free again. That one waits in this process' folder until then.
    case gone(waiting: Claim?)
    /// It can't be taken (immutable, or another user's directory), and stays.
    case immovable(SystemError)
  }

  /// Pending → claimed → (recorded) → moved to the folder of its outcome.
  ///
  /// RACE: a run may claim the trigger first; the rename decides.
  ///
  /// - Parameter file: what was found under the name.
  /// - Throws: what keeps anything from being recorded.
  func giveUp(
    _ name: FileName, _ file: FileStatus, _ outcome: Outcome, _ reason: String, run: Int64?,
    channel: (id: Int64, name: String)? = nil, trigger: Trigger? = nil
  ) throws(SystemError) -> Result {
    let state: ClaimState =
      switch outcome {
      case .expired: .expired
      case .cancelled: .cancelled
      default: .rejected
      }
    let id = try ids.next()
    let claim: Claim
    do throws(SystemError) {
      guard let taken = try claims.claim(name, id: id, state: step) else {
        ids.giveBack(id)
        return .gone(waiting: nil)
      }
      claim = taken
    } catch {
      guard error.isImmovable else { throw error }
      ids.giveBack(id)
      return .immovable(error)
    }
    // RACE: somebody may have put another file under the name since the look at it. That one has not been judged.
    if let claimed = try claim.folder.status(of: claim.file), !claimed.describesSameContent(as: file) {
      return .gone(waiting: try claims.putBack(claim))
    }
    var record = HistoryRecord(id: id, run: run, kind: .manual, outcome: outcome, finishedAt: .now())
    record.trigger = name
    record.uid = file.owner
    record.channelID = channel?.id
    record.channel = channel?.name
    record.user = trigger?.user
    record.requestedAt = trigger?.requestedAt
    record.errorMessage = reason
    try recorder.add(.init(record: record, claim: claim))
    return .done
  }
}
