namespace ActorTrainer.He.Parameters;

/// <summary>Primes of one size in a modulus chain.</summary>
/// <param name="Bits">The primes are just below 2^Bits.</param>
/// <param name="Count">How many.</param>
/// <param name="Purpose">What the levels are for.</param>
/// <param name="PrimesPerLevel">2 where two primes make one level of twice the bits, which a rescale divides by together.</param>
public sealed record ChainSegment(int Bits, int Count, string Purpose, int PrimesPerLevel = 1);

/// <summary>What a parameter set is asked to be, before it is checked: <see cref="CkksParameters"/> checks it.</summary>
public sealed record ParametersLiteral
{
    public required string Name { get; init; }

    /// <summary>log₂ N.</summary>
    public required int LogDegree { get; init; }

    /// <summary>The chain from the bottom, whose first prime stays to the end, to the top, whose last is dropped first.</summary>
    public required IReadOnlyList<ChainSegment> Chain { get; init; }

    /// <summary>Bits and number of the special primes, whose product P key switching multiplies and divides by.</summary>
    public required ChainSegment Special { get; init; }

    /// <summary>Levels that a program can use between two refreshes; null for all of the chain.</summary>
    public int? UsableLevels { get; init; }

    /// <summary>What the set is for, and why it is as it is.</summary>
    public required string Purpose { get; init; }

    /// <summary>Without it a set above the security table is refused; with it its name must begin with <c>InsecureTest</c>.</summary>
    public bool AllowInsecure { get; init; }
}
