using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Bootstrapping;

/// <summary>
/// Lifts ciphertexts of real slots to a high level without the secret key (Cheon, Han, Kim, Kim, Song 2018), slots to coefficients first: the message stands in the coefficients when it is rounded and
/// when multiples of q₀ are added to it, so that no error of those is multiplied by the transform. Two ciphertexts go through as one, a + i·b, up to the reduction mod 1.
/// <code>
/// a → Join matrices (3 levels) → scale q₀/(R·bound) at level 0 → modulus raised: t + I in the coefficients → Split matrices (4 levels) → real and imaginary part → R·bound·((t + I) mod 1), its real part
/// </code>
/// The same program runs on the engine, on the twin and on paper. Threads may use it at once.
/// </summary>
public sealed class Bootstrapper
{
    private readonly CkksParameters _parameters;
    private readonly IReadOnlyList<DiagonalMatrix> _toCoefficients;
    private readonly IReadOnlyList<DiagonalMatrix> _toSlots;

    /// <exception cref="ParametersRefusedException">The set has too few levels for this shape.</exception>
    public Bootstrapper(CkksParameters parameters, BootstrapShape shape)
    {
        (_parameters, Shape) = (parameters, shape);
        Reduction = new ModularReduction(shape.Bound, shape.Ratio, shape.CosineDegree, shape.Doublings, shape.ArcsineDegree);
        // The sum of a number and its conjugate is twice its real part; a sum over repetitions is so many times their mean.
        var constant = 1 / (2 * Reduction.Range * Repetitions);
        (_toCoefficients, _toSlots) = (FourierFactors.ToCoefficients(shape.Slots, shape.ToCoefficients), FourierFactors.ToSlots(shape.Slots, shape.ToSlots, constant, shape.BabySteps));
        InputLevel = parameters.After(parameters.MaxLevel, parameters.Depth(parameters.MaxLevel) - shape.ToCoefficients.Count);
        OutputLevel = parameters.After(parameters.MaxLevel, shape.ToSlots.Count + Reduction.Depth);
        if (OutputLevel <= InputLevel)
        {
            throw new ParametersRefusedException($"'{parameters.Name}' has {parameters.Depth(parameters.MaxLevel)} levels, and bootstrapping takes {shape.ToSlots.Count + Reduction.Depth} of them and {shape.ToCoefficients.Count} before: none would be left. Use a set of the family B16.");
        }
    }

    public BootstrapShape Shape { get; }

    public ModularReduction Reduction { get; }

    /// <summary>The lowest level of what can be bootstrapped.</summary>
    public int InputLevel { get; }

    /// <summary>The level of what was bootstrapped.</summary>
    public int OutputLevel { get; }

    private int Repetitions => _parameters.Slots / Shape.Slots;

    /// <summary>Exactly the keys that it takes, each up to the level of its use; those of <see cref="EncapsulationKeys"/> besides.</summary>
    public IReadOnlyList<KeyRequest> Requests() => [.. OnPaper(pair: true).Keys];

    /// <summary>Operations of one bootstrapping.</summary>
    /// <param name="pair">Of two ciphertexts together.</param>
    public IReadOnlyDictionary<(Operation Operation, int Level), long> Operations(bool pair) => OnPaper(pair).Counts;

    /// <summary>The same real slots at <see cref="OutputLevel"/> and its canonical scale; imaginary parts are dropped.</summary>
    /// <param name="a">Of two parts, at <see cref="InputLevel"/> at least.</param>
    /// <param name="bound">The largest size of a slot. What is larger is wrong afterwards, not refused: nobody sees it.</param>
    /// <exception cref="MisuseException">The level is too low.</exception>
    /// <exception cref="MissingKeyException">A key of <see cref="Requests"/>, or for the sparse secret, is missing.</exception>
    public Ciphertext Single(Evaluator evaluator, Ciphertext a, double bound = 1)
    {
        using var low = Ready(evaluator, a);
        using var slots = ThroughCoefficients(evaluator, low, bound);
        using var conjugate = evaluator.Conjugate(slots);
        using var real = evaluator.Add(slots, conjugate);
        return Reduced(evaluator, real, bound, low);
    }

    /// <summary>Two ciphertexts at the price of one, but for the reduction.</summary>
    /// <param name="b">At the same scale as <paramref name="a"/>, or above <see cref="InputLevel"/>.</param>
    /// <inheritdoc cref="Single"/>
    public (Ciphertext First, Ciphertext Second) Pair(Evaluator evaluator, Ciphertext a, Ciphertext b, double bound = 1)
    {
        using var lowA = Ready(evaluator, a);
        using var lowB = Ready(evaluator, b);
        using var turned = evaluator.MultiplyByI(lowB);
        using var packed = evaluator.Add(lowA, turned);
        using var slots = ThroughCoefficients(evaluator, packed, bound);
        using var conjugate = evaluator.Conjugate(slots);
        using var real = evaluator.Add(slots, conjugate);
        using var difference = evaluator.Subtract(conjugate, slots);
        using var imaginary = evaluator.MultiplyByI(difference);
        return (Reduced(evaluator, real, bound, lowA), Reduced(evaluator, imaginary, bound, lowB));
    }

    private Ledger OnPaper(bool pair)
    {
        var plan = new PlanBackend(_parameters);
        var evaluator = new Evaluator(plan);
        if (pair)
        {
            Dispose(Pair(evaluator, plan.Encrypt(InputLevel), plan.Encrypt(InputLevel), 1));
        }
        else
        {
            Single(evaluator, plan.Encrypt(InputLevel)).Dispose();
        }

        return evaluator.Ledger;
    }

    private static void Dispose((Ciphertext First, Ciphertext Second) pair)
    {
        pair.First.Dispose();
        pair.Second.Dispose();
    }

    /// <summary>At the level where the first matrix is, as it is or at the canonical scale.</summary>
    private Ciphertext Ready(Evaluator evaluator, Ciphertext a) =>
        a.Level < InputLevel ? throw new MisuseException($"Cannot bootstrap {a}: slots become coefficients at levels {InputLevel} to 1. Bootstrap it before it falls below {InputLevel}.")
        : a.Level == InputLevel ? evaluator.DropTo(a, InputLevel)
        : evaluator.AlignTo(a, InputLevel);

    /// <summary>Slots of t + I over the reduction's range, halved: what the sum with the conjugate doubles.</summary>
    private Ciphertext ThroughCoefficients(Evaluator evaluator, Ciphertext a, double bound)
    {
        // The message's own error comes through as it is; what bootstrapping adds does not depend on it.
        using var bottom = Transformed(evaluator, a.WithNoise(0), _toCoefficients, Scale.FromInteger(_parameters.Chain[0].Value) / new Scale(Shape.Ratio * bound));
        using var raised = evaluator.RaiseModulus(bottom);
        using var summed = Repetitions == 1 ? evaluator.DropTo(raised, raised.Level) : SlotSums.Sum(evaluator, raised, Shape.Slots, Repetitions);
        return Transformed(evaluator, summed, _toSlots, null);
    }

    /// <param name="last">The scale after the last matrix; null for the canonical one.</param>
    private Ciphertext Transformed(Evaluator evaluator, Ciphertext a, IReadOnlyList<DiagonalMatrix> matrices, Scale? last)
    {
        var value = evaluator.DropTo(a, a.Level);
        for (var i = 0; i < matrices.Count; i++)
        {
            using var before = value;
            var wanted = i == matrices.Count - 1 && last is { } scale ? scale : _parameters.ScaleAt(_parameters.Below(before.Level));
            using var product = evaluator.Transform(before, matrices[i], wanted * _parameters.Divisor(before.Level) / before.Scale);
            value = evaluator.Rescale(product);
        }

        return value;
    }

    /// <param name="source">What was bootstrapped.</param>
    private Ciphertext Reduced(Evaluator evaluator, Ciphertext x, double bound, Ciphertext source)
    {
        // Noise is complex. Its imaginary part would come into the other of a pair the next time.
        using var half = Reduction.Evaluate(evaluator, x, Shape.Ratio * bound / 2);
        using var conjugate = evaluator.Conjugate(half);
        var result = evaluator.Add(half, conjugate);
        var gain = result.Scale.High / source.Scale.High;
        return result.WithMagnitude(bound).WithNoise(result.NoiseVariance + (source.NoiseVariance * gain * gain));
    }
}
