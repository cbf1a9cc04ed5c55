using System.Text.Json;
using System.Text.Json.Serialization;

namespace ActorTrainer.He.Approximation;

/// <summary>
/// One function as ciphertexts compute it: polynomials and the few steps around them, with the domain they hold on and the error
/// measured there. Two programs with the same record compute the same thing. Equal when every number is; JSON keeps doubles exactly.
/// </summary>
public sealed record FunctionFit : IJsonOnDeserialized
{
    private const int MaxNewton = 16;
    private const int MaxSquarings = 30;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
    };

    /// <summary>One of <see cref="FunctionNames"/>: decides what <see cref="Evaluate"/> does.</summary>
    public required string Function { get; init; }

    /// <summary>How the fit was made, for people.</summary>
    public required string Method { get; init; }

    /// <summary>Inputs below are out of domain.</summary>
    public required double Low { get; init; }

    /// <summary>Inputs above are out of domain.</summary>
    public required double High { get; init; }

    /// <summary>Polynomials in the order of composition; none for power-exp. Their inputs are x/<see cref="Scale"/>.</summary>
    public required IReadOnlyList<ChebyshevSeries> Parts { get; init; }

    /// <summary>What inputs are divided by before the first part: M of the inverse root, the bound of relu, else 1.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Newton steps after the polynomial of an inverse root; else 0.</summary>
    public int Newton { get; init; }

    /// <summary>k of power-exp: inputs are divided by 2^k, and k squarings follow; else 0.</summary>
    public int Squarings { get; init; }

    /// <summary>Largest |true − fit| measured on [<see cref="Low"/>, <see cref="High"/>].</summary>
    public required double MaxError { get; init; }

    /// <summary>Largest |true − fit| / |true| measured there; of relu, whose true value is zero on half the domain, the largest |true − fit| / bound.</summary>
    public required double MaxRelativeError { get; init; }

    /// <summary>
    /// Levels: products one after the other, ⌈log₂(degree + 1)⌉ for each part, 2 for a Newton step, 1 for a squaring and for the product
    /// of relu. Maps onto [−1, 1] and divisions by constants are not counted: they fold into coefficients and plain products around.
    /// </summary>
    public int Depth => Parts.Sum(p => p.Depth) + (Newton * InverseRoot.NewtonDepth) + Squarings + (Function == FunctionNames.Relu ? 1 : 0);

    /// <summary>What ciphertexts would hold, without their noise. Outside the domain: whatever the polynomials do there, which is to grow.</summary>
    public double Evaluate(double x) => Function switch
    {
        FunctionNames.InverseRoot => InverseRoot.Evaluate(Parts[0], Newton, Scale, x),
        FunctionNames.Relu => CompositeSign.Relu(Parts, x, Scale),
        FunctionNames.PowerExp => PowerExponential.Evaluate(x, Squarings),
        _ => CompositeSign.Compose(Parts, x / Scale),
    };

    /// <summary>The function that the fit stands for.</summary>
    public double Exact(double x) => Function switch
    {
        FunctionNames.InverseRoot => 1 / Math.Sqrt(x),
        FunctionNames.Relu => Math.Max(x, 0),
        FunctionNames.Tanh => Math.Tanh(x),
        FunctionNames.Reciprocal => 1 / x,
        _ => Math.Exp(x),
    };

    public bool Contains(double x) => x >= Low && x <= High;

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="JsonException">Not the JSON of a fit.</exception>
    /// <exception cref="ArgumentException">A domain, a count or a number in it is unusable.</exception>
    public static FunctionFit FromJson(string json) =>
        JsonSerializer.Deserialize<FunctionFit>(json, Json) ?? throw new JsonException("A fit was expected; found null.");

    public bool Equals(FunctionFit? other) => other is not null && Function == other.Function && Method == other.Method
        && Low.Equals(other.Low) && High.Equals(other.High) && Scale.Equals(other.Scale) && Newton == other.Newton
        && Squarings == other.Squarings && MaxError.Equals(other.MaxError) && MaxRelativeError.Equals(other.MaxRelativeError)
        && Parts.SequenceEqual(other.Parts);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add((Function, Method, Low, High, Scale, Newton, Squarings));
        hash.Add((MaxError, MaxRelativeError));
        foreach (var part in Parts)
        {
            hash.Add(part);
        }

        return hash.ToHashCode();
    }

    void IJsonOnDeserialized.OnDeserialized() => Validate();

    internal FunctionFit Validate()
    {
        Domain.Check(Low, High);
        Domain.CheckPositive(Scale, nameof(Scale));
        var (least, most) = Function switch
        {
            FunctionNames.PowerExp => (0, 0),
            FunctionNames.Relu => (1, 16),
            FunctionNames.InverseRoot or FunctionNames.Exp or FunctionNames.Tanh or FunctionNames.Reciprocal => (1, 1),
            _ => throw new ArgumentException($"No function is called '{Function}'."),
        };
        if (Parts is null || Parts.Count < least || Parts.Count > most || Parts.Contains(null!))
        {
            throw new ArgumentException($"A fit of {Function} has {least} to {most} polynomials; found {Parts?.Count ?? 0}.");
        }

        if (Newton is < 0 or > MaxNewton || (Newton > 0 && Function != FunctionNames.InverseRoot)
            || Squarings is < 0 or > MaxSquarings || (Squarings > 0) != (Function == FunctionNames.PowerExp))
        {
            throw new ArgumentException($"A fit of {Function} cannot have {Newton} Newton steps and {Squarings} squarings.");
        }

        if (!(MaxError >= 0) || !(MaxRelativeError >= 0) || !double.IsFinite(MaxError + MaxRelativeError))
        {
            throw new ArgumentException($"Errors are finite and not negative; found {MaxError} and {MaxRelativeError}.");
        }

        return this;
    }
}
