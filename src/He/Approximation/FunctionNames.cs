namespace ActorTrainer.He.Approximation;

/// <summary>What <see cref="FunctionFit.Function"/> may say.</summary>
public static class FunctionNames
{
    public const string InverseRoot = "inverse-root";
    public const string Relu = "relu";
    public const string Exp = "exp";
    public const string PowerExp = "power-exp";
    public const string Tanh = "tanh";
    public const string Reciprocal = "reciprocal";
}
