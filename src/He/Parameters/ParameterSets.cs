namespace ActorTrainer.He.Parameters;

/// <summary>
/// The named sets. Each carries its evidence: chain from bottom to top, log₂(QP) against the row of <see cref="SecurityTable"/>, usable
/// levels, purpose. Primes are below 2^49, where arithmetic on doubles is exact, so the 50-bit primes of the literature are 49 here.
/// </summary>
public static class ParameterSets
{
    /// <summary>N = 2^14; 49 + 7·40 + P 2·49 = 427 of 430; 7 levels, 4 digits.</summary>
    public static readonly ParametersLiteral L14 = new()
    {
        Name = "L14",
        LogDegree = 14,
        Chain = [new(49, 1, "message"), new(40, 7, "products")],
        Special = new(49, 2, "key switching"),
        UsableLevels = 7,
        Purpose = "secure development, inference of very small models",
    };

    /// <summary>N = 2^15; 49 + 15·41 + P 4·49 = 860 of 868; 15 levels, 4 digits of at most 4 primes. 41 bits instead of 40 use what the 49-bit primes leave.</summary>
    public static readonly ParametersLiteral L15 = new()
    {
        Name = "L15",
        LogDegree = 15,
        Chain = [new(49, 1, "message"), new(41, 15, "products")],
        Special = new(49, 4, "key switching"),
        UsableLevels = 15,
        Purpose = "training with refresh by the data owner; the default",
    };

    /// <summary>N = 2^16; 49 + 3·42 + 14·42 + 10·49 + 4·49 + P 6·49 = 1743 of 1747; 14 levels between bootstraps, 6 digits.</summary>
    public static readonly ParametersLiteral B16 = new()
    {
        Name = "B16",
        LogDegree = 16,
        Chain = [new(49, 1, "message"), new(42, 17, "slots to coefficients (3) and products (14)"), new(49, 14, "modular reduction (10) and coefficients to slots (4)")],
        Special = new(49, 6, "key switching"),
        UsableLevels = 14,
        Purpose = "training with bootstrapping",
    };

    /// <summary>
    /// N = 2^16; 49 + 3·42 + 15·42 + 10·49 + 4·49 + P 5·49 = 1736 of 1747: <see cref="B16"/> with one more level between bootstraps, 15, as many as <see cref="L15"/> has, so that the programs
    /// made for that run unchanged, for which it gives one of the special primes.
    /// </summary>
    public static readonly ParametersLiteral B16D = new()
    {
        Name = "B16d",
        LogDegree = 16,
        Chain = [new(49, 1, "message"), new(42, 18, "slots to coefficients (3) and products (15)"), new(49, 14, "modular reduction (10) and coefficients to slots (4)")],
        Special = new(49, 5, "key switching"),
        UsableLevels = 15,
        Purpose = "fine-tuning with bootstrapping",
    };

    /// <summary>N = 2^16; 49 + 3·42 + 11·42 + 14·49 + P 8·49 = 1715 of 1747; 11 levels between bootstraps, fewer and larger digits: smaller keys.</summary>
    public static readonly ParametersLiteral B16K = new()
    {
        Name = "B16k",
        LogDegree = 16,
        Chain = [new(49, 1, "message"), new(42, 14, "slots to coefficients (3) and products (11)"), new(49, 14, "modular reduction (10) and coefficients to slots (4)")],
        Special = new(49, 8, "key switching"),
        UsableLevels = 11,
        Purpose = "bootstrapping on nodes with little memory",
    };

    /// <summary>
    /// N = 2^16; 49 + 3·42 + 10·42 + 11·(30+30) + 4·49 + P 5·49 = 1696 of 1747; 10 levels between bootstraps, whose modular reduction runs on levels of
    /// two 30-bit primes: some six bits more precise, for weights and the optimiser's state.
    /// </summary>
    public static readonly ParametersLiteral B16Hp = new()
    {
        Name = "B16hp",
        LogDegree = 16,
        Chain = [new(49, 1, "message"), new(42, 13, "slots to coefficients (3) and products (10)"), new(30, 22, "modular reduction (11)", PrimesPerLevel: 2), new(49, 4, "coefficients to slots (4)")],
        Special = new(49, 5, "key switching"),
        UsableLevels = 10,
        Purpose = "bootstrapping with higher precision",
    };

    /// <summary>N = 2^15; 46 + 2·38 + 4·38 + 10·46 + P 2·49 = 832 of 868; 46 bits, since a digit must be 5 bits below P; 4 levels between bootstraps.</summary>
    public static readonly ParametersLiteral B15 = new()
    {
        Name = "B15",
        LogDegree = 15,
        Chain = [new(46, 1, "message"), new(38, 6, "slots to coefficients (2) and products (4)"), new(46, 10, "modular reduction (8) and coefficients to slots (2)")],
        Special = new(49, 2, "key switching"),
        UsableLevels = 4,
        Purpose = "demonstration of bootstrapping",
    };

    /// <summary>N = 2^11 with the primes of <see cref="B16"/>: not secure, for tests of whole circuits in seconds.</summary>
    public static readonly ParametersLiteral Toy = B16 with { Name = "InsecureTestB16", LogDegree = 11, AllowInsecure = true, Purpose = "tests" };

    /// <summary>N = 2^11 with the primes of <see cref="B16D"/>: not secure, for tests of training with bootstrapping.</summary>
    public static readonly ParametersLiteral ToyB16D = B16D with { Name = "InsecureTestB16d", LogDegree = 11, AllowInsecure = true, Purpose = "tests" };

    /// <summary>N = 2^11 with the primes of <see cref="L15"/>: not secure, for tests.</summary>
    public static readonly ParametersLiteral ToyL15 = L15 with { Name = "InsecureTestL15", LogDegree = 11, AllowInsecure = true, Purpose = "tests" };

    /// <summary>N = 2^11 with the primes of <see cref="B16Hp"/>: not secure, for tests of levels of two primes.</summary>
    public static readonly ParametersLiteral ToyB16Hp = B16Hp with { Name = "InsecureTestB16hp", LogDegree = 11, AllowInsecure = true, Purpose = "tests" };

    /// <summary>All sets by name.</summary>
    public static IReadOnlyList<ParametersLiteral> All { get; } = [L14, L15, B15, B16, B16D, B16K, B16Hp, Toy, ToyB16D, ToyL15, ToyB16Hp];
}
