package import Posix
package import Spool

/// Puts claims back into the spool, and keeps the claims that have to wait because a newer file has their name.
package final class WaitingClaims {
  private let claims: ClaimFolder
  /// The claims that wait.
  package private(set) var waiting: [Claim] = []

  package init(_ claims: ClaimFolder) { self.claims = claims }

  /// Claimed → pending, now, or later when the newer file that has the claim's name is gone.
  package func putBack(_ claim: Claim) throws(SystemError) {
    if let claim = try claims.putBack(claim) { waiting.append(claim) }
  }

  /// Claimed → pending, for the claims whose name may be free by now.
  package func retry() throws(SystemError) {
    let claims = waiting
    waiting = []
    for claim in claims { try putBack(claim) }
  }
}
