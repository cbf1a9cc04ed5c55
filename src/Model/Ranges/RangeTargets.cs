using ActorTrainer.Model.Bert;

namespace ActorTrainer.Model.Ranges;

/// <summary>The ranges that range training aims at: the domains of the published polynomials (Rho et al., arXiv 2410.02486, appendix).</summary>
public sealed record RangeTargets
{
    /// <summary>Least variance of a LayerNorm over its bound M.</summary>
    public const double InverseRootRatio = 0.0005;

    /// <summary>ReLU: ± this.</summary>
    public double Relu { get; init; } = 50;

    /// <summary>M: LayerNorm's variances should lie in [0.0005·M, M].</summary>
    public double NormBound { get; init; } = 10;

    /// <summary>The kernel's exponents should lie in [−this, 0].</summary>
    public double Kernel { get; init; } = 16_384;

    /// <summary>Where the inputs of a function should lie; null: anywhere. Tanh, loss and optimiser belong to fine-tuning, which has no range training.</summary>
    public (double Low, double High)? Of(PointFunction function) => function switch
    {
        PointFunction.NormInverseRoot => (InverseRootRatio * NormBound, NormBound),
        PointFunction.Relu => (-Relu, Relu),
        PointFunction.KernelExp => (-Kernel, 0),
        _ => null,
    };
}
