using ActorTrainer.He.Approximation;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>Brings a ciphertext to a level and its canonical scale, by alignment or by a refresh.</summary>
/// <param name="part">What it is, for the name of a refresh.</param>
public delegate Ciphertext Lift(Ciphertext x, int level, string part);

/// <summary>A function of the slots of a ciphertext, which have to be in its domain: nothing clamps. Results have their level's canonical scale.</summary>
public abstract class FunctionCircuit
{
    private protected FunctionCircuit(string name, AffineMap map, int mappedDepth) => (Name, Map, MappedDepth) = (name, map, mappedDepth);

    /// <summary>For messages.</summary>
    public string Name { get; }

    /// <summary>From the function's input x to the t that the circuit computes in.</summary>
    public AffineMap Map { get; }

    /// <summary>Inputs x on which the circuit holds.</summary>
    public (double Low, double High) Interval => ((LowestMapped - Map.Offset) / Map.Slope, (1 - Map.Offset) / Map.Slope);

    /// <summary>What <see cref="EvaluateInParts"/> lifts within, by the names that it gives to <see cref="Lift"/>, and the intervals that it has to be in.</summary>
    public virtual IReadOnlyList<(string Name, double Low, double High)> Parts => [];

    /// <summary>Levels from t to the result.</summary>
    public int MappedDepth { get; }

    /// <summary>Levels from x to the result: one more than <see cref="MappedDepth"/> unless the map's slope is a whole number.</summary>
    public int Depth => MappedDepth + Map.Depth;

    /// <summary>The circuit that computes what a fit computes, coefficient for coefficient.</summary>
    public static FunctionCircuit For(FunctionFit fit) => fit.Function switch
    {
        FunctionNames.InverseRoot => new InverseRootCircuit(fit.Parts[0], fit.Newton, fit.Scale),
        FunctionNames.Relu => new ReluCircuit(fit.Parts, fit.Scale),
        FunctionNames.PowerExp => ExponentialCircuit.ByPower(fit.Squarings),
        _ => new PolynomialCircuit(fit.Parts, fit.Scale),
    };

    /// <summary>The function of x, at its level less <see cref="Depth"/>.</summary>
    /// <exception cref="MisuseException">Too few levels are left.</exception>
    public Ciphertext Evaluate(Evaluator evaluator, Ciphertext x)
    {
        CheckLevels(evaluator, x, Depth);
        using var t = Map.Apply(evaluator, x);
        return Compute(evaluator, t);
    }

    /// <summary>The function from what is mapped already, at its level less <see cref="MappedDepth"/>.</summary>
    /// <exception cref="MisuseException">Too few levels are left.</exception>
    public Ciphertext EvaluateMapped(Evaluator evaluator, Ciphertext t)
    {
        CheckLevels(evaluator, t, MappedDepth);
        return Compute(evaluator, t);
    }

    /// <summary>The level of t from which <see cref="EvaluateInParts"/> comes to a level.</summary>
    public virtual int StartOfParts(int level) => level + MappedDepth;

    /// <summary>The function from what is mapped already, at a level, with refreshes within where parts at low levels take less time than one piece from high up.</summary>
    /// <param name="t">At <see cref="StartOfParts"/>.</param>
    /// <exception cref="MisuseException">Too few levels are left.</exception>
    public virtual Ciphertext EvaluateInParts(Evaluator evaluator, Ciphertext t, int level, Lift lift) => EvaluateMapped(evaluator, t);

    /// <summary>The domain's lower end in t; its upper end is 1.</summary>
    private protected virtual double LowestMapped => -1;

    private protected abstract Ciphertext Compute(Evaluator evaluator, Ciphertext t);

    /// <summary>The product, relinearised and rescaled.</summary>
    private protected static Ciphertext Product(Evaluator evaluator, Ciphertext a, Ciphertext b)
    {
        using var product = evaluator.Multiply(a, b);
        return evaluator.Rescale(product);
    }

    private void CheckLevels(Evaluator evaluator, Ciphertext input, int depth)
    {
        if (evaluator.Parameters.Depth(input.Level) is var levels && levels < depth)
        {
            throw new MisuseException($"{Name} takes {depth} levels, and {input} has {levels}. Refresh it first, or use a fit of less depth.");
        }
    }
}
