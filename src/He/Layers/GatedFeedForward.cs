using ActorTrainer.He.Approximation;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// W_out·(a ∘ relu(c)) with (a, c) = W_in·x + b (arXiv 2410.02486, section 3): relu(c) = c·h(c/M), h = ½ + ½·sign. 1/M is folded into the rows of c and M into W_out, so
/// the circuit of sign has no map to compute. Backward with slope h of relu: da = g ∘ t ∘ h, dt = g ∘ a ∘ h. Products with matrices are at the lowest level, with refreshes of what goes on from them;
/// sign is computed polynomial by polynomial, with a refresh between, since a refresh is much cheaper than products many levels up.
/// </summary>
public sealed class GatedFeedForward
{
    private readonly FrozenLinear _in;
    private readonly FrozenLinear _out;
    private readonly PolynomialCircuit[] _step;
    private readonly string _name;

    /// <param name="inner">Features of a and of c.</param>
    /// <param name="value">Rows of a: weight of (inner feature, feature of x).</param>
    /// <param name="gate">Rows of c.</param>
    /// <param name="valueBias">b for a.</param>
    /// <param name="gateBias">b for c.</param>
    /// <param name="output">W_out: weight of (feature, inner feature).</param>
    /// <param name="relu">The fit: its sign's parts and bound M.</param>
    /// <param name="name">For sites of refreshes.</param>
    public GatedFeedForward(
        FeatureLayout hidden, FeatureLayout inner, Func<int, int, double> value, Func<int, int, double> gate, Func<int, double> valueBias, Func<int, double> gateBias,
        Func<int, int, double> output, FunctionFit relu, string name)
    {
        _step = PolynomialCircuit.InParts(relu.Parts, new AffineMap(0.5, 0.5));
        // Signs are odd, so the map onto their domain has no offset and folds into the rows too.
        var bound = relu.Scale / _step[0].Map.Slope;
        _name = name;
        _in = new FrozenLinear(hidden, [new LinearWeights(inner, value, valueBias), new LinearWeights(inner, (o, i) => gate(o, i) / bound, o => gateBias(o) / bound)], $"{name}.in");
        _out = new FrozenLinear(inner, hidden, (o, i) => output(o, i) * bound, null, $"{name}.out");
    }

    /// <summary>What backward needs; owned by whoever holds it.</summary>
    public sealed class Tape(Activation value, Activation gate, Activation step) : IDisposable
    {
        /// <summary>a.</summary>
        internal Activation Value { get; } = value;

        /// <summary>t = c/M.</summary>
        internal Activation Gate { get; } = gate;

        /// <summary>h.</summary>
        internal Activation Step { get; } = step;

        public void Dispose()
        {
            Value.Dispose();
            Gate.Dispose();
            Step.Dispose();
        }
    }

    /// <summary>Of t, and of what each polynomial of the sign leaves to the next.</summary>
    public IEnumerable<SiteRange> Ranges => Enumerable.Range(0, _step.Length).Select(i => SiteRange.Mapped(StepSite(i))).Prepend(SiteRange.Mapped(GateSite));

    private string GateSite => $"{_name}.gate";

    /// <summary>The result at <paramref name="level"/>.</summary>
    public (Activation Output, Tape Tape) Forward(TensorMath math, Activation x, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(_name);
        var inner = _in.ForwardAll(math, x, 0);
        var (value, gate) = (math.At(inner[0], level + 3, $"{_name}.value"), math.At(inner[1], level + 3, GateSite));
        Array.ForEach(inner, part => part.Dispose());
        var step = Step(math, gate, level + 2);
        using var product = math.Multiply(value, gate);
        using var gated = math.Multiply(product, step);
        return (_out.Forward(math, gated, level), new Tape(value, gate, step));
    }

    /// <summary>dx at <paramref name="level"/>.</summary>
    public Activation Backward(TensorMath math, Tape tape, Activation gradient, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(_name);
        using var low = _out.Backward(math, gradient, 0);
        using var inner = math.At(low, level + 3, $"{_name}.inner");
        using var step = math.At(tape.Step, level + 3, $"{_name}.step");
        using var sloped = math.Multiply(inner, step);
        using var value = Side(math, sloped, tape.Gate, level + 2, "gate");
        using var gate = Side(math, sloped, tape.Value, level + 2, "value");
        return _in.BackwardAll(math, [value, gate], level);
    }

    private string StepSite(int i) => $"{_name}.step.{i}";

    /// <summary>h of t, one polynomial after the other.</summary>
    private Activation Step(TensorMath math, Activation gate, int level)
    {
        var value = gate;
        for (var i = 0; i < _step.Length; i++)
        {
            var (circuit, before, last) = (_step[i], value, i == _step.Length - 1);
            using var lifted = math.At(before, circuit.MappedDepth + (last ? level : 0), StepSite(i));
            value = new Activation(gate.Layout, [.. lifted.Parts.Select(t => circuit.EvaluateMapped(math.Evaluator, t.WithMagnitude(1)))]);
            (i == 0 ? null : before)?.Dispose();
        }

        return value;
    }

    /// <summary>g ∘ h ∘ other.</summary>
    private Activation Side(TensorMath math, Activation sloped, Activation other, int level, string which)
    {
        using var at = math.At(other, level, $"{_name}.{which}.tape");
        return math.Multiply(sloped, at);
    }
}
