using ActorTrainer.Host.Configuration;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Where encrypted fine-tuning keeps its files.</summary>
internal static class EncryptedFolders
{
    /// <summary>The owner's keys.</summary>
    public static string Keys(RunConfiguration run) => run.He.Keys.Length > 0 ? run.He.Keys : Path.Combine(run.RunFolder, "keys");

    /// <summary>Encrypted data: <c>TASK/SPLIT</c>.</summary>
    public static string Data(RunConfiguration run) => run.He.Data.Length > 0 ? run.He.Data : Path.Combine(run.RunFolder, "encrypted");

    /// <summary>What only the owner may know of the data: labels, and which row stands where.</summary>
    public static string Examples(RunConfiguration run) => Path.Combine(Keys(run), "examples");

    /// <summary>Exported data: <c>TASK/SPLIT</c>.</summary>
    public static string Export(RunConfiguration run) => Path.Combine(run.RunFolder, "export");
}
