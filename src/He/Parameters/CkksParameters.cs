using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Parameters;

/// <summary>
/// A checked parameter set of RNS-CKKS: ring degree, modulus chain, special primes, digits of key switching, canonical scales.
/// A ciphertext at level ℓ has ℓ + 1 limbs; levels are counted in limbs, and a rescale goes to <see cref="Below"/>, one limb down or two.
/// </summary>
public sealed class CkksParameters
{
    /// <summary>Every digit D of key switching is at most P/2^5, so that its noise stays below that of rescaling.</summary>
    public const int DigitMarginBits = 5;

    private const string InsecurePrefix = "InsecureTest";
    private readonly Scale[] _scales;
    private readonly int[] _below;

    /// <exception cref="ParametersRefusedException">
    /// log₂(QP) is above <see cref="SecurityTable"/> and <see cref="ParametersLiteral.AllowInsecure"/> is not set, or a number is out of range.
    /// </exception>
    public CkksParameters(ParametersLiteral literal)
    {
        CheckShape(literal);
        (Name, Purpose, LogDegree, Literal) = (literal.Name, literal.Purpose, literal.LogDegree, literal);
        var (chain, special) = PrimeChain.Choose(literal);
        (Chain, Special) = ([.. chain.Select(q => new Modulus(q))], [.. special.Select(q => new Modulus(q))]);
        LogQP = Chain.Concat(Special).Sum(q => q.Bits);
        IsSecure = LogQP <= SecurityTable.MaxLogQP(LogDegree);
        if (!IsSecure && !(literal.AllowInsecure && Name.StartsWith(InsecurePrefix, StringComparison.Ordinal)))
        {
            throw new ParametersRefusedException(string.Create(
                CultureInfo.InvariantCulture,
                $"'{Name}': log2(QP) is {LogQP:F1}, and the 128-bit table allows {SecurityTable.MaxLogQP(LogDegree)} at N = 2^{LogDegree}. Use fewer or smaller primes or a larger N; for tests, name the set {InsecurePrefix}… and allow it."));
        }

        DigitStarts = Digits();
        _below = LevelsBelow(literal.Chain);
        _scales = Scales(literal.Chain);
        UsableLevels = literal.UsableLevels ?? Depth(MaxLevel);
        Fingerprint = Hash();
    }

    public string Name { get; }

    public string Purpose { get; }

    /// <summary>Whether log₂(QP) is within the 128-bit table. Sets that are not are for tests and refused for real data.</summary>
    public bool IsSecure { get; }

    public int LogDegree { get; }

    /// <summary>N.</summary>
    public int Degree => 1 << LogDegree;

    /// <summary>N/2 complex numbers in a ciphertext.</summary>
    public int Slots => Degree / 2;

    /// <summary>q₀ … q_L.</summary>
    public IReadOnlyList<Modulus> Chain { get; }

    /// <summary>The primes of P.</summary>
    public IReadOnlyList<Modulus> Special { get; }

    /// <summary>L.</summary>
    public int MaxLevel => Chain.Count - 1;

    /// <summary>Levels that a program can use between two refreshes.</summary>
    public int UsableLevels { get; }

    /// <summary>log₂ of all primes' product, special ones included.</summary>
    public double LogQP { get; }

    /// <summary>The first limb of each digit of key switching; digits are runs of limbs.</summary>
    public IReadOnlyList<int> DigitStarts { get; }

    /// <summary>SHA-256 over degree and primes: what keys and ciphertexts are bound to.</summary>
    public ReadOnlyMemory<byte> Fingerprint { get; }

    /// <summary>What the set was made from, and can be made from again elsewhere.</summary>
    internal ParametersLiteral Literal { get; }

    /// <summary>
    /// The canonical scale of a level: the top prime of its segment at the top, and Δ_{ℓ−1} = Δ_ℓ²/q_ℓ below, so that products of canonical
    /// numbers are canonical after rescaling.
    /// </summary>
    public Scale ScaleAt(int level) => _scales[level];

    /// <summary>The level that a rescale leads to: one limb down, or two from the top of a pair of primes that make one level.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Nothing is below level 0.</exception>
    public int Below(int level) => level > 0 && level <= MaxLevel ? _below[level] : throw new ArgumentOutOfRangeException(nameof(level), level, $"Levels of {Name} with one below are 1 to {MaxLevel}.");

    /// <summary>The level from which a rescale leads here.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Nothing is above the highest level.</exception>
    public int Above(int level) => level >= 0 && level < MaxLevel
        ? level + 2 <= MaxLevel && _below[level + 2] == level ? level + 2 : level + 1
        : throw new ArgumentOutOfRangeException(nameof(level), level, $"Levels of {Name} with one above are 0 to {MaxLevel - 1}.");

    /// <summary>What a rescale at this level divides by: its prime, or the product of a pair.</summary>
    public Scale Divisor(int level) =>
        Enumerable.Range(Below(level) + 1, level - Below(level)).Aggregate(Scale.One, (product, i) => product * Scale.FromInteger(Chain[i].Value));

    /// <summary>Rescales left at a level.</summary>
    public int Depth(int level)
    {
        var depth = 0;
        for (; level > 0; level = _below[level])
        {
            depth++;
        }

        return depth;
    }

    /// <summary>The level after so many rescales; negative where there are not so many.</summary>
    public int After(int level, int rescales)
    {
        for (; rescales > 0 && level >= 0; rescales--)
        {
            level = level == 0 ? -1 : _below[level];
        }

        return level;
    }

    /// <summary>Digits that a ciphertext of this level has.</summary>
    public int DigitCount(int level) => DigitStarts.Count(start => start <= level);

    /// <summary>Limbs of one digit at a level: [start, end).</summary>
    public (int Start, int End) Digit(int index, int level) =>
        (DigitStarts[index], Math.Min(index + 1 < DigitStarts.Count ? DigitStarts[index + 1] : Chain.Count, level + 1));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name}: N = 2^{LogDegree}, {Chain.Count} + {Special.Count} primes, log2(QP) = {LogQP:F1} of {SecurityTable.MaxLogQP(LogDegree)}{(IsSecure ? "" : " (insecure)")}");

    private static void CheckShape(ParametersLiteral literal)
    {
        if (literal.LogDegree is < 5 or > 16)
        {
            throw new ParametersRefusedException($"'{literal.Name}': expected N from 2^5 to 2^16, found 2^{literal.LogDegree}.");
        }

        if (literal.Chain.Count == 0)
        {
            throw new ParametersRefusedException($"'{literal.Name}': expected a chain of at least one prime, found none.");
        }

        foreach (var segment in literal.Chain.Append(literal.Special))
        {
            if (segment.Bits is < 20 or > 60 || segment.Count is < 1 or > 64 || segment.PrimesPerLevel is < 1 or > 2 || segment.Count % segment.PrimesPerLevel != 0)
            {
                throw new ParametersRefusedException(
                    $"'{literal.Name}': expected 1 to 64 primes of 20 to 60 bits, one or two of them a level; found {segment.Count} of {segment.Bits} bits, {segment.PrimesPerLevel} a level.");
            }
        }
    }

    private int[] Digits()
    {
        var budget = Special.Sum(q => q.Bits) - DigitMarginBits;
        var starts = new List<int> { 0 };
        double bits = 0;
        for (var i = 0; i < Chain.Count; i++)
        {
            if (Chain[i].Bits > budget)
            {
                throw new ParametersRefusedException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{Name}': a prime of {Chain[i].Bits:F1} bits is above P/2^{DigitMarginBits}, which has {budget:F1} bits. Use larger or more special primes."));
            }

            bits += Chain[i].Bits;
            if (bits > budget)
            {
                starts.Add(i);
                bits = Chain[i].Bits;
            }
        }

        return [.. starts];
    }

    private static int[] LevelsBelow(IReadOnlyList<ChainSegment> segments)
    {
        var below = new List<int>();
        foreach (var segment in segments)
        {
            var first = below.Count;
            for (var i = 0; i < segment.Count; i++)
            {
                below.Add(first + i - (i % segment.PrimesPerLevel) - 1);
            }
        }

        return [.. below];
    }

    private Scale[] Scales(IReadOnlyList<ChainSegment> segments)
    {
        var segmentOf = segments.SelectMany((s, i) => Enumerable.Repeat(i, s.Count)).ToArray();
        // Products end at the bottom with the scale that they have there: the message's own prime starts nothing new.
        segmentOf[0] = segmentOf.Length > 1 ? segmentOf[1] : 0;
        var scales = new Scale[segmentOf.Length];
        for (var level = MaxLevel; level >= 0; level = level == 0 ? -1 : _below[level])
        {
            var above = level == MaxLevel ? -1 : Above(level);
            scales[level] = above < 0 || segmentOf[above] != segmentOf[level] ? Divisor(level) : scales[above] * scales[above] / Divisor(above);
            for (var between = level - 1; level > 0 && between > _below[level]; between--)
            {
                scales[between] = scales[level];
            }
        }

        return scales;
    }

    private byte[] Hash()
    {
        var bytes = new byte[8 * (3 + Chain.Count + Special.Count)];
        ulong[] words = [(ulong)LogDegree, (ulong)Chain.Count, (ulong)Special.Count, .. Chain.Select(q => q.Value), .. Special.Select(q => q.Value)];
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8 * i), words[i]);
        }

        return SHA256.HashData(bytes);
    }
}
