using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.He.Approximation;
using Xunit;

namespace ActorTrainer.Tests.Approximation;

public class FunctionFitsTests
{
    /// <summary>Every row of the functions that encrypted fine-tuning uses: fit, domain, degrees, levels, absolute error.</summary>
    public static TheoryData<string, double, double, int[], int, double> Rows => new()
    {
        { "inverse-root", 0.0005, 1, [127], 13, 1.4e-14 },
        { "inverse-root-raw", 0.0005, 1, [127], 7, 4.70554e-2 },
        { "reciprocal", 0.04, 1, [63], 6, 2.68628e-10 },
        { "reciprocal", 0.8, 3, [15], 4, 2.86248e-8 },
        { "tanh", -5, 5, [63], 6, 3.23186e-9 },
        { "tanh", -16, 16, [127], 7, 4.53036e-6 },
        { "exp", -2, 2, [15], 4, 1.2e-13 },
        { "exp", -13, 1, [15], 4, 3.62245e-7 },
        { "power-exp", -16384, 0, [], 14, 1.65208e-5 },
        { "relu", -50, 50, [15, 15, 27], 14, 5.44291e-3 },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_of_the_table_holds_on_its_domain_with_its_recorded_error(
        string name, double low, double high, int[] degrees, int depth, double error)
    {
        var fit = Row(name, low, high, degrees);
        Assert.Equal((low, high), (fit.Low, fit.High));
        Assert.Equal(degrees, fit.Parts.Select(p => p.Degree));
        Assert.Equal(depth, fit.Depth);

        // Errors at the level of rounding differ with the order of operations; the others are properties of the polynomials.
        Assert.InRange(fit.MaxError, error < 1e-12 ? 0 : 0.999 * error, error < 1e-12 ? 4 * error : 1.001 * error);
        foreach (var x in Grid(low, high))
        {
            var difference = Math.Abs(fit.Evaluate(x) - fit.Exact(x));
            Assert.True(difference <= (fit.MaxError * 1.0001) + 1e-14, $"{name} errs by {difference} at {x}, not {fit.MaxError}");
        }
    }

    [Fact]
    public void A_Newton_step_squares_the_relative_error()
    {
        var errors = Enumerable.Range(0, 3).Select(n => FunctionFits.InverseRoot(0.0005, 1, 127, n).MaxRelativeError).ToArray();
        Assert.Equal(1.0522e-3, errors[0], 1e-6);
        Assert.InRange(errors[1] / (1.5 * errors[0] * errors[0]), 0.99, 1.01);
        Assert.InRange(errors[2] / (1.5 * errors[1] * errors[1]), 0.99, 1.01);
        Assert.True(FunctionFits.InverseRoot(0.0005, 1).MaxRelativeError < 1e-15);
    }

    [Fact]
    public void The_bound_of_an_inverse_root_scales_its_inputs_only()
    {
        var unit = FunctionFits.InverseRoot(0.0005, 1);
        var fit = FunctionFits.InverseRoot(0.005, 10);
        Assert.Equal(10, fit.Scale);
        Assert.Equal(unit.Parts[0].Degree, fit.Parts[0].Degree);
        foreach (var x in Grid(0.005, 10))
        {
            Assert.Equal(1, fit.Evaluate(x) * Math.Sqrt(x), 1e-14);
        }
    }

    [Fact]
    public void The_power_of_exp_errs_most_near_minus_two_where_theory_says()
    {
        // (1 + x/n)^n ≈ e^x·(1 − x²/2n), worst at x = −2.
        Assert.Equal(2 * Math.Exp(-2) / 16384, FunctionFits.PowerExp(14).MaxError, 1e-8);
        Assert.Equal(0, FunctionFits.PowerExp(14).Evaluate(-16384));
    }

    [Fact]
    public void Relu_is_nearly_exact_away_from_zero_and_errs_by_a_share_of_its_bound_beside_it()
    {
        var fit = FunctionFits.Relu(50);
        Assert.Equal(fit.MaxError / 50, fit.MaxRelativeError, 1e-15);
        Assert.True(fit.MaxRelativeError < 1 / 8192.0);
        Assert.Equal(0, fit.Evaluate(0));
        Assert.Equal(FunctionFits.Relu(5).MaxRelativeError, fit.MaxRelativeError, 1e-9);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_little_outside_its_domain_a_fit_errs_more_than_inside(string name, double low, double high, int[] degrees, int depth, double error)
    {
        _ = (depth, error);
        var fit = Row(name, low, high, degrees);
        var width = high - low;
        var outside = name switch
        {
            "inverse-root" or "inverse-root-raw" => high * 1.5,
            "power-exp" => low - (1.01 * width), // its base passes −1 there
            _ => low - (0.3 * width),
        };
        var difference = Math.Abs(fit.Evaluate(outside) - fit.Exact(outside));
        Assert.False(fit.Contains(outside));
        Assert.True(!(difference <= 1000 * fit.MaxError), $"{name} errs by {difference} at {outside}, {fit.MaxError} inside");
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void JSON_gives_the_same_fit_back(string name, double low, double high, int[] degrees, int depth, double error)
    {
        _ = (depth, error);
        var fit = Row(name, low, high, degrees);
        var back = FunctionFit.FromJson(fit.ToJson());
        Assert.Equal(fit, back);
        Assert.Equal(fit.GetHashCode(), back.GetHashCode());
        Assert.Equal(fit.Depth, back.Depth);
        Assert.Equal(fit.ToJson(), back.ToJson());
        foreach (var x in Grid(low, high))
        {
            Assert.Equal(BitConverter.DoubleToInt64Bits(fit.Evaluate(x)), BitConverter.DoubleToInt64Bits(back.Evaluate(x)));
        }

        // Within another file, under the conventions of manifests.
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            UnmappedMemberHandling = JsonUnmapped,
            IgnoreReadOnlyProperties = true,
        };
        Assert.Equal(fit, JsonSerializer.Deserialize<FunctionFit>(JsonSerializer.Serialize(fit, options), options));
    }

    [Theory]
    [InlineData("function", "\"sin\"")]
    [InlineData("low", "7")]
    [InlineData("newton", "-1")]
    [InlineData("newton", "3")]
    [InlineData("newton", "1000000")]
    [InlineData("squarings", "3")]
    [InlineData("scale", "0")]
    [InlineData("max_error", "-1")]
    [InlineData("parts", "[]")]
    [InlineData("parts", "[null]")]
    [InlineData("parts", """[{"low":1,"high":0,"coefficients":[1]}]""")]
    public void A_damaged_fit_is_refused(string key, string value)
    {
        var json = JsonNode.Parse(FunctionFits.Tanh(5, 15).ToJson())!;
        json[key] = JsonNode.Parse(value);
        Assert.Throws<ArgumentException>(() => FunctionFit.FromJson(json.ToJsonString()));
    }

    [Fact]
    public void Text_that_is_no_fit_is_refused()
    {
        Assert.Throws<JsonException>(() => FunctionFit.FromJson("null"));
        Assert.Throws<JsonException>(() => FunctionFit.FromJson("[]"));
        Assert.Throws<JsonException>(() => FunctionFit.FromJson(FunctionFits.Tanh(5, 15).ToJson().Replace("\"method\"", "\"manner\"")));
        Assert.Throws<ArgumentException>(() => FunctionFit.FromJson("{}"));
        Assert.Throws<ArgumentException>(() => FunctionFit.FromJson("""{"function":"exp","low":0,"high":1}"""));
    }

    [Fact]
    public void The_smallest_sufficient_degree_is_chosen()
    {
        Assert.Equal(15, FunctionFits.ExpForError(-2, 2, 1e-9).Parts[0].Degree);
        Assert.Equal(7, FunctionFits.ExpForError(-2, 2, 0.1).Parts[0].Degree);
        Assert.Equal(63, FunctionFits.TanhForError(5, 1e-8).Parts[0].Degree);
        Assert.Equal(31, FunctionFits.ReciprocalForError(0.04, 1, 1e-3).Parts[0].Degree);
        Assert.True(FunctionFits.TanhForError(16, 1e-5).MaxError <= 1e-5);
        var refused = Assert.Throws<ArgumentException>(() => FunctionFits.ReciprocalForError(1e-6, 1, 1e-4));
        Assert.Contains("the best is", refused.Message);
    }

    [Fact]
    public void The_same_request_is_fitted_once()
    {
        Assert.Same(FunctionFits.InverseRoot(0.0005, 1), FunctionFits.InverseRoot(0.0005, 1, 127, 3));
        Assert.Same(FunctionFits.Relu(50), FunctionFits.Relu(50, [15, 15, 27]));
        Assert.NotSame(FunctionFits.Tanh(5, 15), FunctionFits.Tanh(5, 31));
    }

    [Fact]
    public void Unusable_requests_are_refused()
    {
        Assert.Throws<ArgumentException>(() => FunctionFits.InverseRoot(0, 1));
        Assert.Throws<ArgumentException>(() => FunctionFits.InverseRoot(-1, 1));
        Assert.Throws<ArgumentException>(() => FunctionFits.InverseRoot(0.1, 1, 15, -1));
        Assert.Throws<ArgumentException>(() => FunctionFits.Reciprocal(-1, 1, 15));
        Assert.Throws<ArgumentException>(() => FunctionFits.Tanh(0, 15));
        Assert.Throws<ArgumentException>(() => FunctionFits.Tanh(double.NaN, 15));
        Assert.Throws<ArgumentException>(() => FunctionFits.Relu(-1));
        Assert.Throws<ArgumentException>(() => FunctionFits.Relu(1, [4]));
        Assert.Throws<ArgumentException>(() => FunctionFits.PowerExp(0));
        Assert.Throws<ArgumentException>(() => FunctionFits.PowerExp(31));
        Assert.Throws<ArgumentException>(() => FunctionFits.Exp(0, 1000, 15));
        Assert.Throws<ArgumentException>(() => FunctionFits.ExpForError(0, 1, double.NaN));
    }

    private const System.Text.Json.Serialization.JsonUnmappedMemberHandling JsonUnmapped =
        System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow;

    private static FunctionFit Row(string name, double low, double high, int[] degrees) => name switch
    {
        "inverse-root" => FunctionFits.InverseRoot(low, high),
        "inverse-root-raw" => FunctionFits.InverseRoot(low, high, newton: 0),
        "reciprocal" => FunctionFits.Reciprocal(low, high, degrees[0]),
        "tanh" => FunctionFits.Tanh(high, degrees[0]),
        "exp" => FunctionFits.Exp(low, high, degrees[0]),
        "power-exp" => FunctionFits.PowerExp(14),
        "relu" => FunctionFits.Relu(high, degrees),
        _ => throw new ArgumentException(name),
    };

    /// <summary>Even, random and geometric (towards zero or the low end) points with both ends: not the grid that the fit was measured on.</summary>
    private static IEnumerable<double> Grid(double low, double high)
    {
        var random = new Random(4);
        for (var i = 0; i <= 10_007; i++)
        {
            yield return Math.Min(high, low + ((high - low) * i / 10_007));
            yield return low + ((high - low) * random.NextDouble());
            var near = low >= 0 ? low * Math.Pow(high / low, i / 10_007.0) : low * Math.Pow(1e-9, i / 10_007.0);
            yield return Math.Clamp(near, low, high);
        }
    }
}
