namespace ActorTrainer.He.Approximation;

/// <summary>
/// sign(x) on [−1, −ε] ∪ [ε, 1] as a composition of odd minimax polynomials, each fitted to the range that the one before leaves
/// (the minimax composite of Lee et al.). Just beyond [−1, 1] it tells the wrong sign, and a
/// percent further it explodes: inputs have to be kept inside.
/// </summary>
public sealed class CompositeSign
{
    private const int SearchPoints = 1024;
    private const double SmallestExponent = -24;
    private const double LargestExponent = -0.5;

    private CompositeSign(IReadOnlyList<ChebyshevSeries> parts, double epsilon)
    {
        Parts = parts;
        Epsilon = epsilon;
        Error = ApproximationError.Peak(x => Math.Abs(1 - Evaluate(x)), epsilon, 1);
        Overshoot = Math.Max(0, Math.Max(ApproximationError.Peak(Evaluate, 0, epsilon), ApproximationError.Peak(Evaluate, epsilon, 1)) - 1);
    }

    /// <summary>In the order of application.</summary>
    public IReadOnlyList<ChebyshevSeries> Parts { get; }

    public double Epsilon { get; }

    /// <summary>Largest |sign(x) − p(x)| on [ε, 1], measured.</summary>
    public double Error { get; }

    /// <summary>|p(x)| ≤ 1 + this on the whole of [−1, 1], the gap included; measured.</summary>
    public double Overshoot { get; }

    /// <summary>Levels.</summary>
    public int Depth => Parts.Sum(p => p.Depth);

    /// <param name="degrees">Odd; in the order of application.</param>
    /// <param name="epsilon">Smallest |x| whose sign counts, in (0, 1).</param>
    /// <param name="margin">Room left beyond the range of each part, for the noise of ciphertexts.</param>
    /// <exception cref="ArgumentException">A degree is not odd, there is none, or ε or the margin is unusable.</exception>
    /// <exception cref="FitException">A part cannot be had: ε is too large for so many degrees.</exception>
    public static CompositeSign Fit(IReadOnlyList<int> degrees, double epsilon, double margin = 0)
    {
        if (!(epsilon > 0 && epsilon < 1) || !(margin >= 0 && margin < epsilon))
        {
            throw new ArgumentException($"A sign needs 0 < epsilon < 1 and 0 <= margin < epsilon; found epsilon {epsilon}, margin {margin}.");
        }

        CheckDegrees(degrees);
        return new CompositeSign(Chain(degrees, epsilon, margin), epsilon);
    }

    /// <summary>
    /// The composite whose ε makes the error of <see cref="Relu(double, double)"/> least: a smaller ε narrows the gap, where that error is at most
    /// about ε/2 of the bound, and costs accuracy outside of it.
    /// </summary>
    /// <exception cref="ArgumentException">A degree is not odd, or there is none.</exception>
    public static CompositeSign FitForRelu(IReadOnlyList<int> degrees)
    {
        CheckDegrees(degrees);
        double Worth(double exponent)
        {
            try
            {
                var parts = Chain(degrees, Math.Pow(2, exponent), 0);
                return -ApproximationError.Peak(x => Math.Abs(x - Relu(parts, x, 1)), 0, 1, SearchPoints);
            }
            catch (FitException)
            {
                return double.NegativeInfinity; // so large an ε leaves the last part nothing to do
            }
        }

        var epsilon = Math.Pow(2, GoldenSection.Maximum(Worth, SmallestExponent, LargestExponent).At);
        return new CompositeSign(Chain(degrees, epsilon, 0), epsilon);
    }

    public double Evaluate(double x) => Compose(Parts, x);

    /// <summary>max(x, 0) as x·(0.5 + 0.5·sign(x / bound)).</summary>
    public double Relu(double x, double bound) => Relu(Parts, x, bound);

    internal static double Relu(IReadOnlyList<ChebyshevSeries> parts, double x, double bound) => x * (0.5 + (0.5 * Compose(parts, x / bound)));

    internal static double Compose(IReadOnlyList<ChebyshevSeries> parts, double x)
    {
        foreach (var part in parts)
        {
            x = part.Evaluate(x);
        }

        return x;
    }

    private static void CheckDegrees(IReadOnlyList<int> degrees)
    {
        if (degrees.Count == 0 || degrees.Any(d => d < 1 || d % 2 == 0))
        {
            throw new ArgumentException($"A composite sign needs odd degrees; found [{string.Join(", ", degrees)}].", nameof(degrees));
        }
    }

    private static List<ChebyshevSeries> Chain(IReadOnlyList<int> degrees, double epsilon, double margin)
    {
        var parts = new List<ChebyshevSeries>();
        var (low, high) = (epsilon, 1.0);
        foreach (var degree in degrees)
        {
            var part = MinimaxFit.FitOdd(_ => 1, low, high, degree);
            parts.Add(part.Series);
            (low, high) = (1 - part.MaxError - margin, 1 + part.MaxError + margin);
        }

        return parts;
    }
}
