using ActorTrainer.He.Approximation;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>Plaintext weights of an encoder layer and the fits that stand for its functions. Matrices are [out, in], flat, row by row.</summary>
public sealed record EncoderWeights
{
    public required int Hidden { get; init; }

    /// <summary>Features of the value half of W_in, and of the gate half.</summary>
    public required int Inner { get; init; }

    public required IReadOnlyList<double> Norm1Weight { get; init; }

    public required IReadOnlyList<double> Norm1Bias { get; init; }

    public required IReadOnlyList<double> Norm2Weight { get; init; }

    public required IReadOnlyList<double> Norm2Bias { get; init; }

    /// <summary>[Hidden, Hidden] each: queries, keys, values.</summary>
    public required IReadOnlyList<IReadOnlyList<double>> Projections { get; init; }

    /// <summary>[Hidden, Hidden].</summary>
    public required IReadOnlyList<double> Dense { get; init; }

    /// <summary>[2·Inner, Hidden]: value half, then gate half.</summary>
    public required IReadOnlyList<double> DenseIn { get; init; }

    /// <summary>[Hidden, Inner].</summary>
    public required IReadOnlyList<double> DenseOut { get; init; }

    /// <summary>ε of the norms.</summary>
    public required double Epsilon { get; init; }

    public required FunctionFit Norm1 { get; init; }

    public required FunctionFit Exp { get; init; }

    public required FunctionFit Norm2 { get; init; }

    public required FunctionFit Relu { get; init; }
}

/// <summary>
/// x₁ = x + W_o·attn(norm₁ x), then x₁ + ffn(norm₂ x₁), with encrypted adapters on queries, keys and values: W + s·B·A, s = α/r, which multiplies the adapters' input.
/// </summary>
public sealed class EncoderLayer
{
    /// <summary>Level of the first norm's result. Adapters take three from it: a plain product that makes their input, and one with each matrix; their results are used one level above the lowest.</summary>
    private const int Normed = 4;

    /// <summary>Level of the adapters' gradients: two products, and a plain one for the gradient of their input.</summary>
    private const int Returning = 3;

    /// <summary>Level at which adapters are used first; to what is lower they fall.</summary>
    public const int AdapterLevel = LowRank.Level;

    private readonly EncoderWeights _weights;
    private readonly double _scale;
    private readonly string _name;
    private readonly LayerNormLayer _norm1;
    private readonly LayerNormLayer _norm2;
    private readonly FrozenLinear _projections;
    private readonly FrozenLinear _dense;
    private readonly GaussianAttention _attention;
    private readonly GatedFeedForward _feedForward;

    /// <param name="scale">α/r.</param>
    /// <param name="name">For sites of refreshes.</param>
    public EncoderLayer(Packing packing, TokenShifts shifts, EncoderWeights weights, double scale, string name)
    {
        var (hidden, inner) = (packing.Hidden, packing.Plain(weights.Inner));
        (_weights, _scale, _name) = (weights, scale, name);
        _norm1 = new LayerNormLayer(hidden, FunctionCircuit.For(weights.Norm1), weights.Epsilon, $"{name}.norm1");
        _norm2 = new LayerNormLayer(hidden, FunctionCircuit.For(weights.Norm2), weights.Epsilon, $"{name}.norm2");
        _projections = new FrozenLinear(hidden, [.. weights.Projections.Select(w => new LinearWeights(hidden, Scaled(w, 0, weights.Norm1Weight), Bias(w, 0, weights.Norm1Bias)))], $"{name}.qkv");
        _dense = new FrozenLinear(hidden, hidden, At(weights.Dense, 0), null, $"{name}.dense");
        _attention = new GaussianAttention(shifts, FunctionCircuit.For(weights.Exp), packing.HeadWidth, $"{name}.attention");
        _feedForward = new GatedFeedForward(
            hidden, inner, Scaled(weights.DenseIn, 0, weights.Norm2Weight), Scaled(weights.DenseIn, weights.Inner, weights.Norm2Weight),
            Bias(weights.DenseIn, 0, weights.Norm2Bias), Bias(weights.DenseIn, weights.Inner, weights.Norm2Bias),
            (o, i) => weights.DenseOut[(o * weights.Inner) + i], weights.Relu, $"{name}.ffn");
    }

    /// <summary>Of all functions of the layer.</summary>
    public IEnumerable<SiteRange> Ranges => [.. _norm1.Ranges, .. _attention.Ranges, .. _norm2.Ranges, .. _feedForward.Ranges];

    /// <summary>What backward needs; owned by whoever holds it.</summary>
    public sealed class Tape(LayerNormLayer.Tape norm1, Activation input, Ciphertext[][] inner, GaussianAttention.Tape attention, LayerNormLayer.Tape norm2, GatedFeedForward.Tape feedForward) : IDisposable
    {
        internal LayerNormLayer.Tape Norm1 { get; } = norm1;

        /// <summary>Input of the adapters.</summary>
        internal Activation Input { get; } = input;

        /// <summary>A·input for each adapter.</summary>
        internal Ciphertext[][] Inner { get; } = inner;

        internal GaussianAttention.Tape Attention { get; } = attention;

        internal LayerNormLayer.Tape Norm2 { get; } = norm2;

        internal GatedFeedForward.Tape FeedForward { get; } = feedForward;

        public void Dispose()
        {
            Norm1.Dispose();
            Input.Dispose();
            Array.ForEach(Inner, row => Array.ForEach(row, u => u.Dispose()));
            Attention.Dispose();
            Norm2.Dispose();
            FeedForward.Dispose();
        }
    }

    /// <summary>The layer's output.</summary>
    /// <param name="adapters">Of queries, keys and values.</param>
    /// <param name="mask">See <see cref="GaussianAttention"/>.</param>
    public (Activation Output, Tape Tape) Forward(TensorMath math, Activation x, IReadOnlyList<LowRank> adapters, IReadOnlyList<Ciphertext> mask)
    {
        // What is lifted for a norm goes on beside it too.
        using var entry = _norm1.Input(math, x, Normed);
        var norm1 = _norm1.Forward(math, entry, Normed);
        var input = AdapterInput(math, norm1.Normal);
        var inner = adapters.Select(a => a.Inner(math, input)).ToArray();
        var projected = _projections.ForwardAll(math, norm1.Normal, 0);
        for (var i = 0; i < projected.Length; i++)
        {
            using var frozen = projected[i];
            projected[i] = adapters[i].AddTo(math, frozen, inner[i]);
        }

        var (attended, attention) = _attention.Forward(math, projected[0], projected[1], projected[2], mask, 0);
        Array.ForEach(projected, p => p.Dispose());
        using var dense = _dense.Forward(math, attended, 0);
        attended.Dispose();
        using var sum = math.Add(dense, entry);
        using var middle = _norm2.Input(math, sum, 1);
        var norm2 = _norm2.Forward(math, middle, 1);
        var (fed, feedForward) = _feedForward.Forward(math, norm2.Normal, 0);
        using (fed)
        {
            return (math.Add(fed, middle), new Tape(norm1, input, inner, attention, norm2, feedForward));
        }
    }

    /// <summary>Terms of the adapters' gradients (rows of A, then columns of B, for each of queries, keys, values), and the gradient of x if it is wanted.</summary>
    public (Activation[][] Adapters, Activation? Input) Backward(TensorMath math, Tape tape, Activation gradient, IReadOnlyList<LowRank> adapters, bool wantsInput)
    {
        using var entry = math.At(gradient, 1, $"{_name}.ffn.gradient");
        using var normal2 = _feedForward.Backward(math, tape.FeedForward, entry, 0);
        using var through2 = _norm2.Backward(math, tape.Norm2, normal2, 0);
        using var sum = math.Add(through2, entry);
        using var middle = math.At(sum, 1, $"{_name}.dense.gradient");
        using var attended = _dense.Backward(math, middle, 0);
        var (q, k, v) = _attention.Backward(math, tape.Attention, attended, 0);
        Activation[] low = [q, k, v];
        Activation[] projected = [.. math.At([.. low.SelectMany(p => p.Parts)], Returning, $"{_name}.qkv.gradient").Chunk(q.Parts.Count).Zip(low, (lifted, p) => new Activation(p.Layout, lifted))];
        Array.ForEach(low, p => p.Dispose());
        var back = adapters.Select((a, i) =>
        {
            using var input = math.At(tape.Input, Returning - 1, $"{_name}.{"qkv"[i]}.input");
            return a.Backward(math, input, tape.Inner[i], projected[i], wantsInput);
        }).ToArray();
        Activation? result = null;
        if (wantsInput)
        {
            using var normal1 = Sum(math, [_projections.BackwardAll(math, projected, 0), .. back.Select(b => Scaled(math, b.Input!))]);
            using var through1 = _norm1.Backward(math, tape.Norm1, normal1, 0);
            result = math.Add(through1, middle);
        }

        Array.ForEach(projected, p => p.Dispose());
        return ([.. back.Select(b => (Activation[])[.. b.Down, .. b.Up])], result);
    }

    /// <summary>s·(γ ∘ x̂ + β), the adapters' input.</summary>
    private Activation AdapterInput(TensorMath math, Activation normal)
    {
        using var entered = math.Evaluator.Ledger.Enter($"{_name}.qkv");
        using var product = math.Scale(normal, f => _scale * _weights.Norm1Weight[f]);
        return math.Shift(product, f => _scale * _weights.Norm1Bias[f]);
    }

    private Activation Scaled(TensorMath math, Activation gradient)
    {
        using var entered = math.Evaluator.Ledger.Enter($"{_name}.qkv");
        using (gradient)
        {
            return math.Scale(gradient, f => _scale * _weights.Norm1Weight[f]);
        }
    }

    private static Activation Sum(TensorMath math, Activation[] terms) => terms.Aggregate((a, b) =>
    {
        using (a)
        using (b)
        {
            return math.Add(a, b);
        }
    });

    private Func<int, int, double> At(IReadOnlyList<double> matrix, int firstRow) => (o, i) => matrix[((firstRow + o) * _weights.Hidden) + i];

    private Func<int, int, double> Scaled(IReadOnlyList<double> matrix, int firstRow, IReadOnlyList<double> columns) => (o, i) => matrix[((firstRow + o) * _weights.Hidden) + i] * columns[i];

    private Func<int, double> Bias(IReadOnlyList<double> matrix, int firstRow, IReadOnlyList<double> bias) =>
        o => Enumerable.Range(0, _weights.Hidden).Sum(i => matrix[((firstRow + o) * _weights.Hidden) + i] * bias[i]);
}
