package import History
package import Posix
package import Spool

/// Takes triggers out of the spool without running them: expired, rejected, cancelled.
package struct TriggerRetirer {
  private let ids: HistoryIDs
  private let claims: ClaimFolder
  private let ledger: RunLedger
  private let waiting: WaitingClaims

  package enum Effect: Sendable {
    case retired
    /// The file vanished or was replaced. A replacement that was claimed by mistake is put back.
    case gone
    /// The file cannot be moved (it is immutable, or another user's directory, or its name is too long), and stays.
    case immovable(SystemError)
  }

  package init(ids: HistoryIDs, claims: ClaimFolder, ledger: RunLedger, waiting: WaitingClaims) {
    self.ids = ids
    self.claims = claims
    self.ledger = ledger
    self.waiting = waiting
  }

  /// Pending → claimed → (recorded) → moved to the folder of its outcome.
  ///
  /// RACE: a run may claim the trigger first; the rename decides.
  ///
  /// - Parameter file: what was found under the name.
  /// - Throws: an error that keeps everything from being recorded.
  package func retire(
    _ name: FileName, _ file: FileStatus, _ retirement: Retirement
  ) throws(SystemError) -> Effect {
    let id = try ids.next()
    let claim: Claim
    do throws(SystemError) {
      guard let claimed = try claims.claim(name, id: id, state: retirement.claimState) else {
        ids.giveBack(id)
        return .gone
      }
      claim = claimed
    } catch {
      guard error.isImmovable else { throw error }
      ids.giveBack(id)
      return .immovable(error)
    }
    // RACE: somebody may have put another file under the name since the inspection. That file has not been judged.
    if let status = try claim.folder.status(of: claim.file), !status.describesSameContent(as: file) {
      try waiting.putBack(claim)
      return .gone
    }
    try ledger.retired(claim, file, retirement)
    return .retired
  }

  /// Retires a trigger, or reports why it stays pending.
  package func retireOrDefer(
    _ name: FileName, _ file: FileStatus, _ retirement: Retirement
  ) throws(SystemError) -> Effect {
    let effect = try retire(name, file, retirement)
    if case .immovable(let error) = effect {
      ledger.deferPending(name, reason: "it cannot be moved: \(error.explanation)", isFault: true)
    }
    return effect
  }
}
