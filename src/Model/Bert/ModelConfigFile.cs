using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Bert;

/// <summary><c>model_config.json</c>: the shape of the model beside its weights, in snake case, with the architecture's name.</summary>
public static class ModelConfigFile
{
    /// <summary>Name of the file in a model folder.</summary>
    public const string FileName = "model_config.json";

    /// <summary>Value of the key <c>architecture</c>.</summary>
    public const string Architecture = "crammed-bert";

    private const string ArchitectureKey = "architecture";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
        IgnoreReadOnlyProperties = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>Writes the file atomically; equal shapes give equal bytes.</summary>
    public static void Save(string path, BertConfig config) => AtomicFile.WriteText(path, ToText(config));

    /// <summary>What the file holds.</summary>
    internal static string ToText(BertConfig config) => ToJson(config).ToJsonString(Options) + "\n";

    /// <summary>Reads the file; every key must be there and no other.</summary>
    /// <exception cref="RefusedException">Missing, not JSON, another architecture, a key too many or too few, or a shape that cannot be built.</exception>
    public static BertConfig Load(string path)
    {
        try
        {
            return Parse(path, File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: cannot be read ({e.Message}).", e);
        }
    }

    /// <summary>Reads the file's text; <paramref name="path"/> is for messages.</summary>
    /// <exception cref="RefusedException">As of <see cref="Load"/>.</exception>
    internal static BertConfig Parse(string path, string text)
    {
        try
        {
            if (JsonNode.Parse(text) is not JsonObject json)
            {
                throw new RefusedException($"{path}: expected a JSON object.");
            }

            if (json[ArchitectureKey] is not JsonValue name || !name.TryGetValue<string>(out var architecture) || architecture != Architecture)
            {
                throw new RefusedException(
                    $"{path}: expected \"{ArchitectureKey}\": \"{Architecture}\", found {json[ArchitectureKey]?.ToJsonString() ?? "none"}: this is another kind of model.");
            }

            var missing = ToJson(new BertConfig()).Select(pair => pair.Key).Where(key => !json.ContainsKey(key)).ToList();
            if (missing.Count > 0)
            {
                throw new RefusedException($"{path}: missing {string.Join(", ", missing)}; a model's shape has no defaults.");
            }

            json.Remove(ArchitectureKey);
            return Validated(path, json.Deserialize<BertConfig>(Options)!);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new RefusedException($"{path}: not a valid model configuration ({e.Message}).", e);
        }
    }

    private static BertConfig Validated(string path, BertConfig config)
    {
        try
        {
            return config.Validate();
        }
        catch (RefusedException e)
        {
            throw new RefusedException($"{path}: {e.Message}", e);
        }
    }

    private static JsonObject ToJson(BertConfig config)
    {
        var json = JsonSerializer.SerializeToNode(config, Options)!.AsObject();
        json.Insert(0, ArchitectureKey, Architecture);
        return json;
    }
}
