using TorchSharp;

namespace ActorTrainer.Model.Bert;

/// <summary>Functions of the model and its training that are no polynomials.</summary>
public enum PointFunction
{
    /// <summary>1/√x of a LayerNorm's variance plus its ε.</summary>
    NormInverseRoot,

    /// <summary>The gate of the feed-forward network.</summary>
    Relu,

    /// <summary>The exponential of the Gaussian kernel; its input is not positive.</summary>
    KernelExp,

    /// <summary>tanh of the pooler.</summary>
    Tanh,

    /// <summary>The exponential of the loss's softmax.</summary>
    LossExp,

    /// <summary>1/x of the sum in the loss's softmax.</summary>
    LossReciprocal,

    /// <summary>1/√x of the optimiser's second moment plus ε.</summary>
    OptimiserInverseRoot,
}

/// <summary>A place where such a function stands.</summary>
/// <param name="Unit">Name of the unit, e.g. <c>layers.0</c>.</param>
/// <param name="Place">Name inside the unit, e.g. <c>norm1</c>, <c>gate</c>, <c>attention</c>, <c>pooler</c>, <c>loss</c>, <c>optimiser</c>.</param>
/// <param name="Function">The function.</param>
public readonly record struct FunctionSite(string Unit, string Place, PointFunction Function)
{
    public override string ToString() => $"{Unit}.{Place}";
}

/// <summary>Looks at the inputs of functions that are no polynomials, to keep statistics or to punish those outside of a range.</summary>
public interface IInputProbe
{
    /// <summary>Told the input before the function is applied. The tensor may carry a graph; it must not be changed.</summary>
    void Observe(FunctionSite site, torch.Tensor input);
}

/// <summary>
/// Stands in for functions that are no polynomials. The result carries the gradient that training uses, which need not be the derivative of
/// what stands in: encrypted training has formulas of its own.
/// </summary>
public interface IPointFunctions
{
    /// <summary>The function of <paramref name="site"/>, element by element: [any shape] to [same shape].</summary>
    torch.Tensor Apply(FunctionSite site, torch.Tensor input);
}
