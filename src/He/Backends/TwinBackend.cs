using System.Collections.Concurrent;
using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Backends;

/// <summary>
/// The cleartext twin: the same programs on plain numbers, with the same levels, scales and ledger. With a source of randomness it adds the
/// noise that the model expects; constants are rounded as the engine rounds them either way.
/// </summary>
/// <param name="noise">Where modelled noise comes from; null for none.</param>
public sealed class TwinBackend(CkksParameters parameters, Random? noise = null) : IBackend
{
    private readonly ConcurrentDictionary<int, int> _steps = new();
    private readonly Lazy<SpecialFourier> _fourier = new(() => new SpecialFourier(parameters.LogDegree));

    public CkksParameters Parameters { get; } = parameters;

    /// <summary>A ciphertext of the twin at its level's canonical scale.</summary>
    public Ciphertext Encrypt(PlainVector values, int level, double magnitude = 1)
    {
        var payload = new Numbers([.. Enumerable.Range(0, Parameters.Slots).Select(i => values.Values[i & (values.Values.Count - 1)])], 2);
        var variance = NoiseModel.Public(Parameters);
        var result = new Ciphertext(payload, Parameters, level, Parameters.ScaleAt(level), variance, magnitude);
        Disturb(payload, Math.Sqrt(variance * Parameters.Degree) / result.Scale.High);
        return result;
    }

    /// <summary>The slots.</summary>
    public static IReadOnlyList<Complex> Values(Ciphertext ciphertext) => Of(ciphertext.Payload);

    public IPayload Add(IPayload a, IPayload b, int level) => Zip(a, b, Complex.Add, Math.Max(a.Size, b.Size));

    public IPayload Subtract(IPayload a, IPayload b, int level) => Zip(a, b, Complex.Subtract, Math.Max(a.Size, b.Size));

    public IPayload Negate(IPayload a, int level) => Map(a, Complex.Negate);

    public IPayload Add(IPayload a, PlainVector m, int level, Scale scale) => MapIndexed(a, (v, i) => v + m.Values[i & (m.Values.Count - 1)]);

    public IPayload Add(IPayload a, ScaledConstant constant, int level) => Map(a, v => v + Rounded(constant));

    public IPayload Multiply(IPayload a, PlainVector m, int level, Scale scale) => MapIndexed(a, (v, i) => v * m.Values[i & (m.Values.Count - 1)]);

    public IPayload Multiply(IPayload a, ScaledConstant constant, int level) => Map(a, v => v * Rounded(constant));

    public IPayload Multiply(IPayload a, IPayload b, int level) => Zip(a, b, Complex.Multiply, 3);

    public IPayload Relinearise(IPayload a, int level) => new Numbers(Of(a), 2);

    public IPayload Rescale(IPayload a, int level) => Map(a, v => v);

    public IPayload Drop(IPayload a, int level) => Map(a, v => v);

    public IPayload[] Automorphisms(IPayload a, IReadOnlyList<int> elements, int level) => [.. elements.Select(element => Automorphism(Of(a), element))];

    public IPayload[] Transform(IReadOnlyList<IPayload> inputs, DiagonalMatrix m, int level, Scale scale)
    {
        var (x, results) = (inputs.Select(Of).ToArray(), Enumerable.Range(0, m.Rows).Select(_ => new Complex[Parameters.Slots]).ToArray());
        foreach (var diagonal in m.Diagonals)
        {
            var (values, y, from) = (diagonal.Values.Values, results[diagonal.Row], x[diagonal.Column]);
            for (var k = 0; k < y.Length; k++)
            {
                y[k] += values[k & (values.Count - 1)] * from[(k + diagonal.Shift) & (y.Length - 1)];
            }
        }

        return [.. results.Select(y => new Numbers(y, 2))];
    }

    public IPayload SumAutomorphisms(IPayload a, IReadOnlyList<int> elements, int level) =>
        Automorphisms(a, elements, level).Aggregate(a, (sum, term) => Add(sum, term, level));

    /// <remarks>With a source of noise the whole numbers are those of a sparse secret, near normal; without they are zero.</remarks>
    public IPayload RaiseModulus(IPayload a, Scale scale)
    {
        var factor = scale.High / Parameters.Chain[0].Value;
        if (noise is null)
        {
            return Map(a, v => v * factor);
        }

        var deviation = Math.Sqrt((EncapsulationParameters.Weight + 1) / 12.0);
        var (re, im) = (new double[Parameters.Slots], new double[Parameters.Slots]);
        for (var i = 0; i < re.Length; i++)
        {
            var whole = Complex.FromPolarCoordinates(deviation * Math.Sqrt(-2 * Math.Log(1 - noise.NextDouble())), 2 * Math.PI * noise.NextDouble());
            (re[i], im[i]) = (Math.Round(whole.Real), Math.Round(whole.Imaginary));
        }

        _fourier.Value.ToSlots(re, im);
        return MapIndexed(a, (v, i) => (v * factor) + new Complex(re[i], im[i]));
    }

    public void Disturb(IPayload result, double slotDeviation)
    {
        if (noise is null || slotDeviation == 0)
        {
            return;
        }

        var values = Of(result);
        for (var i = 0; i < values.Length; i++)
        {
            // Box and Muller: a complex normal number whose size has the given root mean square.
            var radius = slotDeviation * Math.Sqrt(-Math.Log(1 - noise.NextDouble()));
            values[i] += Complex.FromPolarCoordinates(radius, 2 * Math.PI * noise.NextDouble());
        }
    }

    private static Complex[] Of(IPayload payload) => payload is Numbers numbers
        ? numbers.Values
        : throw new MisuseException("This ciphertext was made by another backend than the cleartext twin. Give each backend its own ciphertexts.");

    private static double Rounded(ScaledConstant constant) => (double)constant.Scaled / constant.Scale.High;

    private static Numbers Map(IPayload a, Func<Complex, Complex> work) => new(Array.ConvertAll(Of(a), v => work(v)), a.Size);

    private static Numbers MapIndexed(IPayload a, Func<Complex, int, Complex> work)
    {
        var (x, result) = (Of(a), new Complex[Of(a).Length]);
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = work(x[i], i);
        }

        return new Numbers(result, a.Size);
    }

    private static Numbers Zip(IPayload a, IPayload b, Func<Complex, Complex, Complex> work, int size)
    {
        var (x, y, result) = (Of(a), Of(b), new Complex[Of(a).Length]);
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = work(x[i], y[i]);
        }

        return new Numbers(result, size);
    }

    private Numbers Automorphism(Complex[] values, int element)
    {
        var mask = (2 * Parameters.Degree) - 1;
        if (element == mask)
        {
            return new Numbers(Array.ConvertAll(values, Complex.Conjugate), 2);
        }

        var steps = _steps.GetOrAdd(element, StepsOf);
        var result = new Complex[values.Length];
        Array.Copy(values, steps, result, 0, values.Length - steps);
        Array.Copy(values, 0, result, values.Length - steps, steps);
        return new Numbers(result, 2);
    }

    private int StepsOf(int element)
    {
        var (steps, power, mask) = (0, 1, (2 * Parameters.Degree) - 1);
        while (power != element)
        {
            (steps, power) = (steps + 1, (int)(5L * power & mask));
        }

        return steps;
    }

    private sealed record Numbers(Complex[] Values, int Size) : IPayload
    {
        public void Dispose()
        {
        }
    }
}
