using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.He.Approximation;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Ranges;

/// <summary>One function at one place: what its inputs were, and the polynomial that stands in for it.</summary>
/// <param name="Unit">Name of the unit.</param>
/// <param name="Place">Name inside the unit.</param>
/// <param name="Function">The function.</param>
/// <param name="Statistics">Its inputs.</param>
/// <param name="Fit">The polynomial, with domain and error.</param>
public sealed record CalibratedSite(string Unit, string Place, PointFunction Function, RangeStatistics Statistics, FunctionFit Fit)
{
    /// <summary>Where it stands.</summary>
    [JsonIgnore]
    public FunctionSite Site => new(Unit, Place, Function);
}

/// <summary>The ranges of a model's function inputs and the polynomials fitted to them: <c>calibration.json</c> beside a model.</summary>
public sealed record Calibration
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "calibration.json";

    /// <summary>The one layout this program writes and reads.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Domains reach this many times further than the inputs that were seen.</summary>
    public const double Headroom = 2;

    /// <summary>Relative error of inverse roots.</summary>
    private const double InverseRootError = 1e-5;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        IgnoreReadOnlyProperties = true,
        WriteIndented = true,
        NewLine = "\n",
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    public int Version { get; init; } = CurrentVersion;

    /// <summary>All sites, by unit and place.</summary>
    public required IReadOnlyList<CalibratedSite> Sites { get; init; }

    /// <summary>
    /// Chooses a domain for each site and fits its polynomial. Inverse roots: [min/h, max·h], h the headroom squared, since variances are
    /// squares; at least a ratio of 2,000, as published. ReLU and tanh: ±h·max|x|. Kernel exponential: (1 + x/2^k)^(2^k) with the smallest k
    /// from 6 up that has 2^k ≥ h·|min|, which is exact in the limit. Loss: the exponential on ±h·max|x|, the reciprocal on [min/h, max·h].
    /// </summary>
    public static Calibration Of(IReadOnlyDictionary<FunctionSite, RangeStatistics> statistics) => new()
    {
        Sites =
        [
            .. statistics.OrderBy(pair => pair.Key.Unit, StringComparer.Ordinal).ThenBy(pair => pair.Key.Place, StringComparer.Ordinal)
                .Select(pair => new CalibratedSite(pair.Key.Unit, pair.Key.Place, pair.Key.Function, pair.Value, Fit(pair.Key.Function, pair.Value))),
        ],
    };

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <summary>Writes the file atomically.</summary>
    public void Save(string path) => AtomicFile.WriteText(path, ToJson());

    /// <summary>Reads the file.</summary>
    /// <exception cref="RefusedException">There is none, or it is not a calibration of this version.</exception>
    public static Calibration Load(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: there is no readable calibration ({e.Message}): fine-tune with eval.calibrate_every=10, or name one with eval.calibration=FILE.", e);
        }
    }

    /// <summary>From what <see cref="ToJson"/> gave.</summary>
    /// <param name="text">The text.</param>
    /// <param name="where">Named in the refusal.</param>
    /// <exception cref="RefusedException">It is not a calibration of this version.</exception>
    public static Calibration Parse(string text, string where)
    {
        try
        {
            var read = JsonSerializer.Deserialize<Calibration>(text, Json) ?? throw new JsonException("It is null.");
            return read.Version == CurrentVersion ? read
                : throw new RefusedException($"{where} is a calibration of version {read.Version}; this program reads version {CurrentVersion}.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new RefusedException($"{where}: not a calibration ({e.Message}).", e);
        }
    }

    private static FunctionFit Fit(PointFunction function, RangeStatistics seen)
    {
        const double Squared = Headroom * Headroom;
        var bound = Math.Max(1e-3, Headroom * Math.Max(Math.Abs(seen.Min), Math.Abs(seen.Max)));
        switch (function)
        {
            case PointFunction.NormInverseRoot or PointFunction.OptimiserInverseRoot:
                var high = seen.Max * Squared;
                return FunctionFits.InverseRootForError(Math.Min(Math.Max(seen.Min, 1e-12) / Squared, high / 2_000), high, InverseRootError);
            case PointFunction.Relu:
                return FunctionFits.Relu(bound);
            case PointFunction.KernelExp:
                var k = 6;
                while (k < 14 && Math.Pow(2, k) < Headroom * -seen.Min)
                {
                    k++;
                }

                return FunctionFits.PowerExp(Math.Max(k, 10));
            case PointFunction.Tanh:
                return FunctionFits.TanhForError(bound, 1e-3);
            case PointFunction.LossExp:
                return FunctionFits.ExpForError(-bound, bound, 1e-3);
            case PointFunction.LossReciprocal:
                return FunctionFits.ReciprocalForError(seen.Min / Headroom, seen.Max * Headroom, 1e-3);
            default:
                throw new ArgumentOutOfRangeException(nameof(function), function, "Unknown function.");
        }
    }
}
