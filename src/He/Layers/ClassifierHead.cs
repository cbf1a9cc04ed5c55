using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// Final LayerNorm, first token, pooler z = B·(A·x + a) + b, h = tanh z, outputs H·h + c (Rho et al., arXiv 2410.02486, section 3), all learned matrices encrypted. The
/// first token is spread over the places of all tokens, so that tokens' slots number the pooler's features instead. Backward with 1 − h² for tanh: dH = Σ d·h,
/// dz = (Hᵀ·d) ∘ (1 − h²), dB = dz·yᵀ, dy = Bᵀ·dz, dA = dy·xᵀ, dx = Aᵀ·dy; gradients of matrices are terms for every example, summed once a step.
/// </summary>
/// <param name="norm">The final norm.</param>
/// <param name="weight">Its weight, of the feature.</param>
/// <param name="bias">Its bias.</param>
/// <param name="tanh">On z.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class ClassifierHead(HeadShape shape, LayerNormLayer norm, Func<int, double> weight, Func<int, double> bias, FunctionCircuit tanh, string name)
{
    /// <summary>Level of the spread first token.</summary>
    private const int Pooled = 3;

    /// <summary>Level at which backward uses outputs' gradients, and so the best one for the loss to leave them at.</summary>
    public const int GradientLevel = 2;

    /// <summary>The highest level at which weights are used: refreshed or spread to it, they are lifted nowhere.</summary>
    public const int WeightLevel = 3;

    /// <summary>Level of gradients' terms: one for the first mask of a pack.</summary>
    private const int Term = 1;

    /// <summary>Level of dz: products with B, A and the mask of the first token follow.</summary>
    private const int Returning = 3;

    private readonly Packing _packing = shape.Packing;

    /// <summary>What backward needs; owned by whoever holds it.</summary>
    public sealed class Tape(LayerNormLayer.Tape norm, Activation first, Ciphertext[][] turned, Ciphertext[] pooled) : IDisposable
    {
        internal LayerNormLayer.Tape Norm { get; } = norm;

        /// <summary>x, in the places of all tokens.</summary>
        internal Activation First { get; } = first;

        /// <summary>y and its copies turned by tokens.</summary>
        internal Ciphertext[][] Turned { get; } = turned;

        /// <summary>h.</summary>
        internal Ciphertext[] Pooled { get; } = pooled;

        public void Dispose()
        {
            Norm.Dispose();
            First.Dispose();
            foreach (var ciphertext in Turned.SelectMany(t => t).Concat(Pooled))
            {
                ciphertext.Dispose();
            }
        }
    }

    /// <summary>Of the norm, and of z; every slot counts, as features that the pooler lacks are zero.</summary>
    public IEnumerable<SiteRange> Ranges => norm.Ranges.Concat(Enumerable.Range(0, shape.Widths).Select(j => SiteRange.Of(TanhSite(j), tanh)));

    /// <summary>Each output of each example, in every place and token; at <paramref name="level"/>.</summary>
    public (Ciphertext[] Outputs, Tape Tape) Forward(TensorMath math, Activation x, HeadWeights weights, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        var tape = norm.Forward(math, x, Pooled + 1);
        var first = First(math, tape.Normal);
        var turned = Enumerable.Range(0, shape.Ranks).Select(c => Turned(math, first, weights, c)).ToArray();
        var pooled = Enumerable.Range(0, shape.Widths).Select(j => Pool(math, turned, weights, j, level + 2)).ToArray();
        var outputs = Enumerable.Range(0, shape.Outputs).Select(o =>
        {
            using var product = Products(math, pooled, weights.H[o], level + 1, $"h.{o}");
            using var sum = SlotSums.Sum(math.Evaluator, product, _packing.Batch, _packing.Tokens * _packing.Places);
            using var constant = math.At(weights.HBias[o], level, $"{name}.hbias.{o}");
            return math.Evaluator.Add(sum, constant);
        }).ToArray();
        var together = math.Together(outputs);
        Array.ForEach(outputs, output => output.Dispose());
        return (together, new Tape(tape, first, turned, pooled));
    }

    /// <summary>Terms of the gradients of all weights, and the gradient of x at <paramref name="level"/>.</summary>
    /// <param name="gradient">Of each output, in every place and token.</param>
    public (HeadWeights Terms, Activation Input) Backward(TensorMath math, Tape tape, HeadWeights weights, IReadOnlyList<Ciphertext> gradient, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        Ciphertext[] d = [.. gradient.Select((g, o) => math.At(g, GradientLevel, $"{name}.gradient.{o}"))];
        var (h, dz) = (Hs(math, tape, d), Dz(math, tape, weights, d));
        var b = dz.Select((z, j) => Terms(math, z, [.. tape.Turned.SelectMany(t => t)], $"y.{j}")).ToArray();
        var dy = Enumerable.Range(0, shape.Ranks).Select(c => Dy(math, weights, dz, c)).ToArray();
        var a = tape.First.Parts.Select((x, c) => Terms(math, x, dy, $"x.{c}")).ToArray();
        using var normal = Dx(math, weights, dy);
        var terms = new HeadWeights { A = a, ABias = dy, B = b, BBias = dz, H = h, HBias = d };
        return (terms, norm.Backward(math, tape.Norm, normal, level));
    }

    /// <summary>γ ∘ x̂ + β of the first token, and nothing elsewhere; then copied to all tokens.</summary>
    private Activation First(TensorMath math, Activation normal)
    {
        using var input = math.At(normal, Pooled + 1, $"{name}.normal");
        return new Activation(normal.Layout, [.. input.Parts.Select((part, c) =>
        {
            using var product = math.Evaluator.Multiply(part, OfFirst(c, weight));
            using var scaled = math.Evaluator.Rescale(product);
            using var shifted = math.Evaluator.Add(scaled, OfFirst(c, bias));
            return SlotSums.Replicate(math.Evaluator, shifted, _packing.Batch, _packing.Tokens);
        })]);
    }

    private PlainVector OfFirst(int part, Func<int, double> value) =>
        new(shape.Slots((p, t) => t == 0 && _packing.Hidden.FeatureAt(part, p) is var f and >= 0 ? value(f) : 0));

    /// <summary>y = A·x + a in every place, at its token's number; and turned by 0 … T − 1 tokens, which is cyclic, since all places are the same.</summary>
    private Ciphertext[] Turned(TensorMath math, Activation first, HeadWeights weights, int c)
    {
        using var product = Products(math, first.Parts, [.. weights.A.Select(row => row[c])], Pooled, $"a.{c}");
        using var sum = SlotSums.Sum(math.Evaluator, product, _packing.PlaceStride, _packing.Places);
        using var constant = math.At(weights.ABias[c], Pooled - 1, $"{name}.abias.{c}");
        using var y = math.Evaluator.Add(sum, constant);
        return math.Evaluator.RotateMany(y, [.. Enumerable.Range(0, _packing.Tokens).Select(s => s * _packing.Batch)]);
    }

    private string TanhSite(int j) => $"{name}.tanh.{j}";

    private Ciphertext Pool(TensorMath math, Ciphertext[][] turned, HeadWeights weights, int j, int level)
    {
        using var product = Products(math, [.. turned.SelectMany(t => t)], weights.B[j], Pooled - 1, $"b.{j}");
        using var constant = math.At(weights.BBias[j], Pooled - 2, $"{name}.bbias.{j}");
        using var z = math.Evaluator.Add(product, constant);
        using var lifted = math.At(z, tanh.Depth + level, TanhSite(j));
        return tanh.Evaluate(math.Evaluator, lifted.WithMagnitude(1));
    }

    /// <summary>dH_o = d_o·h.</summary>
    private IReadOnlyList<Ciphertext>[] Hs(TensorMath math, Tape tape, Ciphertext[] d) =>
        [.. d.Select((g, o) => Terms(math, g, tape.Pooled, $"pooled.{o}"))];

    /// <summary>dz = (Hᵀ·d) ∘ (1 − h²).</summary>
    private Ciphertext[] Dz(TensorMath math, Tape tape, HeadWeights weights, Ciphertext[] d) => [.. tape.Pooled.Select((h, j) =>
    {
        using var dh = Products(math, d, [.. weights.H.Select(row => row[j])], GradientLevel, $"dz.h.{j}");
        using var lifted = math.At(h, GradientLevel, $"{name}.pooled.{j}");
        using var square = math.Product(lifted, lifted);
        using var negative = math.Evaluator.Negate(square);
        using var slope = math.Evaluator.Add(negative, 1.0);
        using var low = math.Product(dh, slope);
        return math.At(low, Returning, $"{name}.dz.{j}");
    })];

    /// <summary>dy = Bᵀ·dz, by Horner's rule over turns; a sum over places makes them cyclic.</summary>
    private Ciphertext Dy(TensorMath math, HeadWeights weights, Ciphertext[] dz, int c)
    {
        var e = math.Evaluator;
        var tokens = _packing.Tokens;
        Ciphertext? sum = null;
        for (var s = tokens - 1; s >= 0; s--)
        {
            using var turned = sum is null ? null : e.Rotate(sum, -_packing.Batch);
            sum?.Dispose();
            using var product = Products(math, dz, [.. weights.B.Select(row => row[(c * tokens) + s])], Returning, $"dy.b.{(c * tokens) + s}");
            sum = turned is null ? e.DropTo(product, product.Level) : e.Add(turned, product);
        }

        using (sum)
        {
            return SlotSums.Sum(e, sum!, _packing.PlaceStride, _packing.Places);
        }
    }

    /// <summary>Gradient of x̂: γ ∘ (Aᵀ·dy) of the first token. The sum over tokens stands where t = 0; a plain product leaves only that.</summary>
    private Activation Dx(TensorMath math, HeadWeights weights, Ciphertext[] dy) => new(_packing.Hidden, [.. weights.A.Select((row, part) =>
    {
        using var product = Products(math, dy, row, Returning - 1, $"dx.a.{part}");
        using var sum = SlotSums.Sum(math.Evaluator, product, _packing.Batch, _packing.Tokens);
        using var first = math.Evaluator.Multiply(sum, OfFirst(part, weight));
        return math.Evaluator.Rescale(first);
    })]);

    /// <summary>Σ xᵢ·wᵢ, with the weights at a level, to which the others fall.</summary>
    private Ciphertext Products(TensorMath math, IReadOnlyList<Ciphertext> x, IReadOnlyList<Ciphertext> w, int level, string which) =>
        math.SumOfProducts(w.Select((c, i) => (math.At(c, level, $"{name}.{which}.{i}"), x[i])), freeFirst: true);

    /// <summary>Terms of gradients, one for each of <paramref name="others"/>; at <see cref="Term"/>.</summary>
    private IReadOnlyList<Ciphertext> Terms(TensorMath math, Ciphertext x, IReadOnlyList<Ciphertext> others, string which)
    {
        using var first = math.At(x, Term + 1, $"{name}.{which}");
        return [.. others.Select((other, i) =>
        {
            using var second = math.At(other, Term + 1, $"{name}.{which}.{i}");
            return math.Product(first, second);
        })];
    }
}
