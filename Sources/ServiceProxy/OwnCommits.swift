/// Which generations of the kernel's rule set were made by this process: what they changed is known, whoever of its tables
/// it concerns.
///
/// One serves all tables in a network namespace, since the kernel counts for all together.
package final class OwnCommits {
    private var last: UInt32?
    /// How many generations up to the last came one after another, with none of anyone else's among them.
    private var run: UInt32 = 0

    /// Commits of which none was made yet.
    package init() {}

    /// Notes a commit, with the generation that was read right after it.
    ///
    /// Where someone else committed before that was read, the number says nothing of the own commit; it counts as the
    /// beginning of another run then, which no earlier generation is joined to.
    package func note(_ generation: UInt32) {
        run = last.map { $0 &+ 1 } == generation ? run + 1 : 1
        last = generation
    }

    /// Whether everything from one generation to another was made by this process.
    package func lead(from old: UInt32, to new: UInt32) -> Bool {
        old == new || new == last && new &- old <= run
    }
}
