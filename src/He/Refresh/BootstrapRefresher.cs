using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Refresh;

/// <summary>Refreshes by bootstrapping: nobody has to be asked, and nothing can be looked at. Two ciphertexts of one request go through as one.</summary>
/// <param name="evaluator">The program's: with keys for bootstrapping on the engine; of the twin; or of a plan, which counts every operation.</param>
/// <param name="bootstrapper">Of the evaluator's parameters.</param>
/// <param name="bounds">The largest size of a site's slots, known before from a rehearsal; what is larger is lost. Null for bounds that the program declares.</param>
/// <param name="reach">See <see cref="IRefresher.Reach"/>; null: none.</param>
public sealed class BootstrapRefresher(Evaluator evaluator, Bootstrapper bootstrapper, Func<string, double?>? bounds = null, Func<string, int>? reach = null) : IRefresher
{
    /// <inheritdoc/>
    public int MaxLevel => bootstrapper.OutputLevel;

    /// <inheritdoc/>
    public int Floor => bootstrapper.InputLevel;

    /// <inheritdoc/>
    public int Reach(string site) => reach?.Invoke(site) ?? 0;

    public RefreshLedger Ledger { get; } = new();

    /// <inheritdoc/>
    /// <exception cref="MissingKeyException">A key for bootstrapping is missing.</exception>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        if (level > MaxLevel)
        {
            throw new MisuseException($"Cannot bootstrap to level {level}: expected at most {MaxLevel}. Use a set with more usable levels, or functions of less depth.");
        }

        Ledger.Note(site, level, ciphertexts.Count);
        var results = new List<Ciphertext>();
        for (var i = 0; i < ciphertexts.Count; i += 2)
        {
            var bound = bounds?.Invoke(site) ?? ciphertexts.Skip(i).Take(2).Max(c => c.Magnitude);
            if (i + 1 < ciphertexts.Count && GoTogether(ciphertexts[i], ciphertexts[i + 1]))
            {
                var (first, second) = bootstrapper.Pair(evaluator, ciphertexts[i], ciphertexts[i + 1], bound);
                results.AddRange([Lowered(first, level), Lowered(second, level)]);
            }
            else
            {
                results.AddRange(ciphertexts.Skip(i).Take(2).Select(c => Lowered(bootstrapper.Single(evaluator, c, bound), level)));
            }
        }

        return results;
    }

    /// <summary>Above the floor both are aligned; on it they are taken as they are.</summary>
    private bool GoTogether(Ciphertext a, Ciphertext b) => (a.Level > Floor && b.Level > Floor) || (a.Level == b.Level && a.Scale.Matches(b.Scale));

    private Ciphertext Lowered(Ciphertext x, int level)
    {
        using (x)
        {
            return evaluator.AlignTo(x, level);
        }
    }
}
