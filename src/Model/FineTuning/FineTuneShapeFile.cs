using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.FineTuning;

/// <summary><c>finetune_config.json</c>: what fine-tuning made of a model, beside its weights.</summary>
public static class FineTuneShapeFile
{
    public const string FileName = "finetune_config.json";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        IgnoreReadOnlyProperties = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
        NewLine = "\n",
    };

    private static readonly JsonObject Complete = JsonSerializer.SerializeToNode(new FineTuneShape { Lora = new LoraShape() }, Options)!.AsObject();

    /// <summary>Writes the file atomically.</summary>
    public static void Save(string path, FineTuneShape shape) => AtomicFile.WriteText(path, ToText(shape));

    /// <summary>Reads the file; every key must be there and no other.</summary>
    /// <exception cref="RefusedException">There is none, or it is not such a file.</exception>
    public static FineTuneShape Load(string path)
    {
        try
        {
            return Parse(path, File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: cannot be read, so this is no fine-tuned model ({e.Message}).", e);
        }
    }

    /// <summary>What the file holds.</summary>
    internal static string ToText(FineTuneShape shape) => JsonSerializer.Serialize(shape, Options) + "\n";

    /// <summary>Reads the file's text; <paramref name="path"/> is for messages.</summary>
    /// <exception cref="RefusedException">Not such a text.</exception>
    internal static FineTuneShape Parse(string path, string text)
    {
        try
        {
            if (JsonNode.Parse(text) is not JsonObject json)
            {
                throw new RefusedException($"{path}: expected a JSON object.");
            }

            var missing = Missing(Complete, json, "").ToList();
            return missing.Count == 0
                ? json.Deserialize<FineTuneShape>(Options)!.Validate()
                : throw new RefusedException($"{path}: missing {string.Join(", ", missing)}; a model's shape has no defaults.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new RefusedException($"{path}: not the configuration of a fine-tuned model ({e.Message}).", e);
        }
    }

    /// <summary>Keys of <paramref name="wanted"/> that are not there; a nested object may be null as a whole.</summary>
    private static IEnumerable<string> Missing(JsonObject wanted, JsonObject found, string prefix) => wanted.SelectMany(pair =>
        !found.TryGetPropertyValue(pair.Key, out var value) ? [prefix + pair.Key]
        : (pair.Value, value) is (JsonObject inner, JsonObject nested) ? Missing(inner, nested, $"{prefix}{pair.Key}.")
        : Enumerable.Empty<string>());
}
