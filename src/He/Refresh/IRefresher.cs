using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Refresh;

/// <summary>
/// Lifts ciphertexts to high levels again: by the data owner, by bootstrapping, by a test's secret key, on the twin, or on paper. Programs know only this.
/// </summary>
public interface IRefresher
{
    /// <summary>The highest level that it lifts to.</summary>
    int MaxLevel { get; }

    /// <summary>The lowest level that it lifts from. Programs count their levels from here: one of them at this level has none left.</summary>
    int Floor => 0;

    /// <summary>
    /// The level, counted from <see cref="Floor"/>, up to which something may be left at a site or lifted there, even if less is asked for: where lifts cost more than operations further up. 0: as asked, so
    /// that whatever follows is as cheap as can be.
    /// </summary>
    /// <param name="site">As in <see cref="Refresh"/>.</param>
    int Reach(string site) => 0;

    /// <summary>The same slots at <paramref name="level"/> and that level's canonical scale; inputs are kept.</summary>
    /// <param name="ciphertexts">Of two parts each.</param>
    /// <param name="level">At most <see cref="MaxLevel"/>.</param>
    /// <param name="site">What they are, for requests, statistics and range checks: a name that is the same in every run of the program.</param>
    /// <exception cref="MisuseException">A ciphertext has three parts, or the level is too high.</exception>
    IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site);
}
