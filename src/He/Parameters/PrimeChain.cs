using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Parameters;

/// <summary>
/// Chooses the primes of a set. All are ≡ 1 mod 2^17 and just below their power of two, so that they serve every N up to 2^16 and
/// logarithms never sum to more than the nominal bits.
/// </summary>
internal static class PrimeChain
{
    /// <summary>2N for the largest N.</summary>
    public const ulong Step = 1 << 17;

    /// <summary>Candidates more than are needed, to choose from.</summary>
    private const int Spare = 8;

    private const int SparePairs = 16;

    /// <summary>Special primes are the largest of their size; then segments take theirs from the top down.</summary>
    public static (ulong[] Chain, ulong[] Special) Choose(ParametersLiteral literal)
    {
        var used = new HashSet<ulong>();
        var special = Take(literal.Special, used);
        var chain = new List<ulong>();
        foreach (var segment in literal.Chain.Reverse())
        {
            chain.AddRange(segment.Count == 1 ? Take(segment, used) : segment.PrimesPerLevel == 2 ? TakeSteadyPairs(segment, used) : TakeSteady(segment, used));
        }

        chain.Reverse();
        return ([.. chain], special);
    }

    private static ulong[] Take(ChainSegment segment, HashSet<ulong> used)
    {
        ulong[] primes = [.. Candidates(segment, used, 0)];
        used.UnionWith(primes);
        return primes;
    }

    /// <exception cref="ParametersRefusedException">There are not so many primes of this size.</exception>
    private static List<ulong> Candidates(ChainSegment segment, HashSet<ulong> used, int spare)
    {
        var primes = Primes.Below(segment.Bits, Step).Where(q => !used.Contains(q)).Take(segment.Count + spare).ToList();
        return primes.Count >= segment.Count
            ? primes
            : throw new ParametersRefusedException($"Expected {segment.Count} primes of {segment.Bits} bits that are 1 mod {Step}; found {primes.Count}. Use larger primes, or fewer.");
    }

    /// <summary>
    /// Primes for levels one after the other, from the top. A product of two numbers of scale Δ leaves Δ²/q after rescaling, which
    /// doubles any deviation from level to level; each prime is therefore the one nearest to what brings the next scale back to the middle.
    /// </summary>
    private static List<ulong> TakeSteady(ChainSegment segment, HashSet<ulong> used)
    {
        var candidates = Candidates(segment, used, Spare);
        var middle = (double)candidates[candidates.Count / 2];
        var primes = new List<ulong>();
        var scale = middle;
        for (var i = 0; i < segment.Count; i++)
        {
            var wanted = i == 0 ? middle : scale * scale / middle;
            var next = candidates.MinBy(q => Math.Abs(q - wanted));
            candidates.Remove(next);
            primes.Add(next);
            scale = i == 0 ? next : scale * scale / next;
        }

        used.UnionWith(primes);
        return primes;
    }

    /// <summary>The same for levels of two primes each.</summary>
    private static List<ulong> TakeSteadyPairs(ChainSegment segment, HashSet<ulong> used)
    {
        var candidates = Candidates(segment, used, SparePairs);
        var middle = Math.Pow(candidates[candidates.Count / 2], 2);
        var primes = new List<ulong>();
        var scale = middle;
        for (var i = 0; i < segment.Count; i += 2)
        {
            var wanted = i == 0 ? middle : scale * scale / middle;
            var (p, q) = candidates.SelectMany((p, at) => candidates.Skip(at + 1).Select(q => (p, q))).MinBy(pair => Math.Abs(((double)pair.p * pair.q) - wanted));
            candidates.Remove(p);
            candidates.Remove(q);
            primes.AddRange([p, q]);
            scale = i == 0 ? (double)p * q : scale * scale / ((double)p * q);
        }

        used.UnionWith(primes);
        return primes;
    }
}
