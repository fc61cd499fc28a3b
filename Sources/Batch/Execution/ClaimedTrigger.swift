package import Spool

/// A trigger together with the claim that makes it this run's, or that a killed run left.
package struct ClaimedTrigger: Sendable {
  package let claim: Claim
  package let trigger: Trigger
  /// The number of the attempt that the claim stands for.
  package let attempt: Int

  package init(claim: Claim, trigger: Trigger, attempt: Int) {
    self.claim = claim
    self.trigger = trigger
    self.attempt = attempt
  }
}
