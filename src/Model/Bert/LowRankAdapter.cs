using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>Beside a projection W: (α/r)·B·A, A [r, hidden] Kaiming-uniform, B [hidden, r] zero (Hu et al., arXiv 2106.09685, section 4.1).</summary>
internal sealed class LowRankAdapter
{
    private readonly LoraShape _shape;
    private readonly int _unit;
    private readonly Tensor _down;
    private readonly Tensor _up;

    /// <param name="shape">Rank and scale.</param>
    /// <param name="hidden">Width of the projection, both ways.</param>
    /// <param name="projection">State-dict name of the projection.</param>
    /// <param name="unit">Index of the unit.</param>
    /// <param name="number">Number of the projection in the unit, for its random stream.</param>
    public LowRankAdapter(LoraShape shape, int hidden, string projection, int unit, int number, ulong seed, ScalarType dtype, Device? device)
    {
        _shape = shape;
        _unit = unit;

        // Kaiming-uniform with a = √5, as the usual implementations: uniform in ±1/√hidden.
        _down = InitialWeights.Uniform(1 / Math.Sqrt(hidden), seed, unit, FirstAdapter + number, dtype, device, shape.Rank, hidden);
        _up = InitialWeights.Constant(0, dtype, device, hidden, shape.Rank);
        Parameters =
        [
            new(ParameterNames.Adapter(projection, ParameterNames.LoraDown), _down, Decay: true),
            new(ParameterNames.Adapter(projection, ParameterNames.LoraUp), _up, Decay: true),
        ];
    }

    /// <summary>Number of the first adapter's random stream, past those of the layer's own parameters.</summary>
    private const int FirstAdapter = 100;

    public IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>[…, hidden] → [..., hidden].</summary>
    public Tensor Apply(Tensor x, in ForwardContext context, int site)
    {
        var dropped = SeededDropout.Apply(x, _shape.Dropout, context, _unit, site);
        return nn.functional.linear(nn.functional.linear(dropped, _down), _up) * _shape.Scale;
    }
}
