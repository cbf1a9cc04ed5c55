using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Ranges;

/// <summary>What is known of the inputs of one function of a unit.</summary>
/// <param name="Place">Name inside the unit.</param>
/// <param name="Function">The function.</param>
/// <param name="Statistics">Its recorded inputs; null: none were recorded.</param>
/// <param name="Outside">Inputs outside of its polynomial's domain; null: no polynomial stood in for it.</param>
public sealed record SiteRanges(string Place, PointFunction Function, RangeStatistics? Statistics, OutOfDomain? Outside);

/// <summary>
/// What is known of the inputs of a unit's functions since a run began. It is part of the unit's checkpointed state, so that it survives a kill
/// and belongs to the steps of the checkpoint, replayed ones counted once.
/// </summary>
/// <param name="Sites">By place.</param>
public sealed record UnitRanges(IReadOnlyList<SiteRanges> Sites)
{
    /// <summary>Nothing is known.</summary>
    public static readonly UnitRanges None = new([]);

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        IgnoreReadOnlyProperties = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>As JSON; empty for <see cref="None"/>.</summary>
    public string ToJson() => Sites.Count == 0 ? "" : JsonSerializer.Serialize(Sites, Json);

    /// <summary>From what <see cref="ToJson"/> gave.</summary>
    /// <param name="text">The text.</param>
    /// <param name="where">Named in the refusal.</param>
    /// <exception cref="RefusedException">Not such a text.</exception>
    public static UnitRanges Parse(string text, string where)
    {
        try
        {
            return text.Length == 0 ? None : new UnitRanges(JsonSerializer.Deserialize<List<SiteRanges>>(text, Json) ?? throw new JsonException("It is null."));
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{where}: the recorded ranges are damaged ({e.Message}).", e);
        }
    }

    /// <summary>Statistics of a model, by site.</summary>
    /// <param name="units">Unit name → its ranges.</param>
    public static IReadOnlyDictionary<FunctionSite, RangeStatistics> Statistics(IReadOnlyDictionary<string, UnitRanges> units) => (
        from unit in units
        from site in unit.Value.Sites
        where site.Statistics is not null
        select (Site: new FunctionSite(unit.Key, site.Place, site.Function), site.Statistics)).ToDictionary(pair => pair.Site, pair => pair.Statistics);

    /// <summary>Inputs outside of domains, by site.</summary>
    /// <param name="units">Unit name → its ranges.</param>
    public static IReadOnlyDictionary<FunctionSite, OutOfDomain> Outside(IReadOnlyDictionary<string, UnitRanges> units) => (
        from unit in units
        from site in unit.Value.Sites
        where site.Outside is not null
        select (Site: new FunctionSite(unit.Key, site.Place, site.Function), Outside: site.Outside!.Value)).ToDictionary(pair => pair.Site, pair => pair.Outside);
}
