using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Encrypted.Planning;

/// <summary>Costs that were measured on one machine: operations, and the owner's refreshes.</summary>
/// <param name="Operations">Of the stages, with the threads of one operation.</param>
/// <param name="RefreshLow">Seconds of one refresh to level 1, on one thread.</param>
/// <param name="RefreshHigh">Seconds of one to the highest level.</param>
/// <param name="MaxLevel">The highest level.</param>
/// <param name="Measured">When.</param>
internal sealed record PlanCosts(OperationCosts Operations, double RefreshLow, double RefreshHigh, int MaxLevel, DateTimeOffset Measured)
{
    private const int Rounds = 5;

    /// <summary>Name of the file in the plan's folder.</summary>
    public const string FileName = "costs.json";

    /// <summary>Measures for a few seconds, under keys of its own.</summary>
    public static PlanCosts Measure(CkksParameters parameters, int threads, TimeProvider time)
    {
        using var context = new CkksContext(parameters, threads);
        var operations = CostMeasurement.Measure(context, time: time);
        using var single = new CkksContext(parameters, 1);
        using var generator = new KeyGenerator(single, allowInsecure: true);
        using var secret = generator.NewSecretKey();
        using var encryptor = new Encryptor(single);
        using var zero = new Encoder(single).Encode([0.0], 0, parameters.ScaleAt(0));
        using var x = encryptor.Encrypt(zero, secret);
        var owner = new OwnerRefresh(single, secret, encryptor);
        // The owner looks at slots to check their ranges, which is part of its work.
        double Refresh(int level) => Median(() => owner.Refresh(x, level, _ => { }).Dispose(), time);
        return new PlanCosts(operations, Refresh(1), Refresh(parameters.MaxLevel), parameters.MaxLevel, time.GetUtcNow());
    }

    /// <summary>Reads a file; null where there is none.</summary>
    /// <exception cref="RefusedException">It is no table of costs.</exception>
    public static PlanCosts? Load(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var root = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            double Number(string name) => root[name]?.GetValue<double>() is { } value && double.IsFinite(value) && value >= 0
                ? value
                : throw new FormatException($"{name} is missing or no number of seconds");
            return new PlanCosts(
                OperationCosts.Parse(root["operations"]?.ToJsonString() ?? throw new FormatException("operations are missing")),
                Number("refresh_low"), Number("refresh_high"), (int)Number("max_level"), root["measured"]!.GetValue<DateTimeOffset>());
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or InvalidOperationException or NullReferenceException or IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: no table of measured costs ({e.Message}). Delete it, or name another with costs=FILE; costs are measured where there is no file.", e);
        }
    }

    /// <summary>Writes the file atomically.</summary>
    public void Save(string path) => AtomicFile.WriteText(path, new JsonObject
    {
        ["measured"] = Measured,
        ["max_level"] = MaxLevel,
        ["refresh_low"] = RefreshLow,
        ["refresh_high"] = RefreshHigh,
        ["operations"] = JsonNode.Parse(Operations.ToJson()),
    }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");

    /// <summary>The owner with so many cores, behind such a network.</summary>
    public OwnerSpeed Owner(int cores, double bytesPerSecond) => new(RefreshLow, RefreshHigh, MaxLevel, cores, bytesPerSecond);

    private static double Median(Action work, TimeProvider time)
    {
        work();
        var times = new double[Rounds];
        for (var i = 0; i < Rounds; i++)
        {
            var start = time.GetTimestamp();
            work();
            times[i] = time.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(times);
        return times[Rounds / 2];
    }
}
