using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Refresh;

/// <summary>
/// Bootstraps a second time what the first time has missed (Meta-BTS: Bae, Cheon, Cho, Kim, Kim 2022, IACR ePrint 2022/1167): x − y is small, y being x bootstrapped, and bootstrapping errs in proportion to the
/// bound, so y + bootstrapped(x − y) errs by little more than the noise of the levels that x − y is computed at. It takes twice the time and no level. All slots must be in use: where numbers repeat,
/// noise does not.
/// </summary>
/// <param name="evaluator">The program's.</param>
/// <param name="once">Bootstraps, with bounds as <see cref="WithRests"/> makes them.</param>
/// <param name="isTwice">Whether something is worth it, by its site; others are bootstrapped once.</param>
public sealed class TwiceRefresher(Evaluator evaluator, IRefresher once, Func<string, bool> isTwice) : IRefresher
{
    /// <summary>What bootstrapping may miss, relative to the bound: it errs by 2⁻¹⁷ in the worst slot, and on four times this the arcsine still gives eleven bits.</summary>
    public const double Rest = 1.0 / 4096;

    private const string Suffix = ".rest";

    /// <inheritdoc/>
    public int MaxLevel => once.MaxLevel;

    /// <inheritdoc/>
    public int Floor => once.Floor;

    /// <inheritdoc/>
    public int Reach(string site) => once.Reach(site);

    /// <summary>Bounds of sites, and of what is left of them for the second time.</summary>
    public static Func<string, double?> WithRests(Func<string, double?> bounds) =>
        site => site.EndsWith(Suffix, StringComparison.Ordinal) ? bounds(site[..^Suffix.Length]) * Rest : bounds(site);

    /// <inheritdoc/>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        var lifted = once.Refresh(ciphertexts, level, site);
        // At the floor nothing is computed any more that precision could be lost in.
        if (!isTwice(site) || level <= Floor)
        {
            return lifted;
        }

        // What was lifted is exactly what it is: its errors are what the rest makes good.
        Ciphertext[] exact = [.. lifted.Select(c => c.WithNoise(0))], missed = [], rests = [];
        try
        {
            missed = [.. ciphertexts.Zip(exact, Missed)];
            rests = [.. once.Refresh(missed, level, site + Suffix)];
            return [.. exact.Zip(rests, (y, rest) => evaluator.Add(y, rest).WithMagnitude(y.Magnitude))];
        }
        finally
        {
            foreach (var ciphertext in exact.Concat(missed).Concat(rests))
            {
                ciphertext.Dispose();
            }
        }
    }

    private Ciphertext Missed(Ciphertext x, Ciphertext y)
    {
        using var low = x.Level == Floor ? evaluator.DropTo(x, Floor) : evaluator.AlignTo(x, Floor);
        using var aligned = evaluator.AlignTo(y, Floor, low.Scale);
        return evaluator.Subtract(low, aligned).WithMagnitude(x.Magnitude * Rest);
    }
}
