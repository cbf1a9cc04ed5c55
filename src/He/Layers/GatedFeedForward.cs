using ActorTrainer.He.Approximation;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// W_out·(a ∘ relu(c)) with (a, c) = W_in·x + b (arXiv 2410.02486, section 3): relu(c) = c·h(c/M), h = ½ + ½·sign. 1/M is folded into the rows of c and M into W_out, so
/// the circuit of sign has no map to compute. Backward with slope h of relu: da = g ∘ t ∘ h, dt = g ∘ a ∘ h. Forward takes 4 levels of x and a refresh of c; backward 4 of the gradient.
/// </summary>
public sealed class GatedFeedForward
{
    private readonly FrozenLinear _value;
    private readonly FrozenLinear _gate;
    private readonly FrozenLinear _out;
    private readonly PolynomialCircuit _step;
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
        _step = new PolynomialCircuit(relu.Parts, 1, new AffineMap(0.5, 0.5));
        // Signs are odd, so the map onto their domain has no offset and folds into the rows too.
        var bound = relu.Scale / _step.Map.Slope;
        _name = name;
        _value = new FrozenLinear(hidden, inner, value, valueBias, $"{name}.value");
        _gate = new FrozenLinear(hidden, inner, (o, i) => gate(o, i) / bound, o => gateBias(o) / bound, $"{name}.gate");
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

    /// <summary>The result at <paramref name="level"/>.</summary>
    public (Activation Output, Tape Tape) Forward(TensorMath math, Activation x, int level)
    {
        var (value, gate) = (_value.Forward(math, x, level + 3), _gate.Forward(math, x, level + 3));
        using var lifted = math.At(gate, _step.MappedDepth + level + 2, $"{_name}.step");
        var step = new Activation(gate.Layout, [.. lifted.Parts.Select(t => _step.EvaluateMapped(math.Evaluator, t.WithMagnitude(1)))]);
        using var product = math.Multiply(value, gate);
        using var gated = math.Multiply(product, step);
        return (_out.Forward(math, gated, level), new Tape(value, gate, step));
    }

    /// <summary>dx at <paramref name="level"/>.</summary>
    public Activation Backward(TensorMath math, Tape tape, Activation gradient, int level)
    {
        using var inner = _out.Backward(math, gradient, level + 3);
        using var step = math.At(tape.Step, level + 2, $"{_name}.step");
        using var value = Side(math, inner, tape.Gate, step);
        using var gate = Side(math, inner, tape.Value, step);
        using var first = _value.Backward(math, value, level);
        using var second = _gate.Backward(math, gate, level);
        return math.Add(first, second);
    }

    /// <summary>g ∘ other ∘ h.</summary>
    private Activation Side(TensorMath math, Activation gradient, Activation other, Activation step)
    {
        using var at = math.At(other, gradient.Level, $"{_name}.other");
        using var product = math.Multiply(gradient, at);
        return math.Multiply(product, step);
    }
}
