using System.Text.Json;
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
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>Writes the file atomically.</summary>
    public static void Save(string path, FineTuneShape shape) => AtomicFile.WriteText(path, JsonSerializer.Serialize(shape, Options) + "\n");

    /// <summary>Reads the file.</summary>
    /// <exception cref="RefusedException">There is none, or it is not such a file.</exception>
    public static FineTuneShape Load(string path)
    {
        try
        {
            return (JsonSerializer.Deserialize<FineTuneShape>(File.ReadAllText(path), Options) ?? throw new JsonException("It is null.")).Validate();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: cannot be read, so this is no fine-tuned model ({e.Message}).", e);
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{path}: not the configuration of a fine-tuned model ({e.Message}).", e);
        }
    }
}
