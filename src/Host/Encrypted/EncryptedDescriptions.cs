using ActorTrainer.Host.Cli;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Names, words and help of the data owner's commands.</summary>
internal static class EncryptedDescriptions
{
    private static readonly string[] Read = ["name", "base_dir", "arch", "eval", "he"];

    /// <summary><c>keygen</c>: keys.</summary>
    public static CommandDescription KeyGen { get; } = new()
    {
        Name = "keygen",
        Summary = "make the data owner's keys for encrypted fine-tuning",
        Paragraphs =
        [
            """
            Plans the encrypted training of each task, and makes a secret key and exactly the evaluation keys that
            the plans ask for: secret.key (for its owner only), public.key, evaluation.keys and keys.json in
            NAME/keys. An existing folder is never overwritten: new keys for every job are safest.
            """,
            """
            Keys belong to a parameter set, a model, and a packing (he.tokens, he.batch); what is of another is
            refused before anything is computed.
            """,
        ],
        Examples =
        [
            new("keygen name=X he=dev eval=GLUE_lora eval.tasks=[rte]", "for RTE, 16 tokens of 16 examples"),
            new("keygen name=X eval=GLUE_lora eval.tasks=[rte] he.keys=/mnt/owner/keys", "in a folder of the owner's"),
        ],
        Accepts = Read,
        Keys = ["name", "eval.tasks", "eval.checkpoint", "he.set", "he.tokens", "he.batch", "he.keys", "he.threads"],
        Done = "the keys are there",
    };

    /// <summary><c>encrypt</c>: data.</summary>
    public static CommandDescription Encrypt { get; } = new()
    {
        Name = "encrypt",
        Summary = "encrypt a task's exported examples with the owner's keys",
        Paragraphs =
        [
            """
            Encrypts train and the labelled splits of each task, as `export` wrote them, in micro-batches to
            NAME/encrypted/TASK/SPLIT: files with checksums and a manifest that tells no label, id or length.
            Rows of more than he.tokens tokens are left out. An interrupted encryption goes on.
            """,
            """
            Which row stands where, and its label, go to a private file under examples in the folder of the keys,
            where the owner finds them again.
            """,
        ],
        Options = [new("from", "folder that export wrote; NAME/export when left out", "FOLDER")],
        Examples =
        [
            new("encrypt name=X he=dev eval.tasks=[rte]", "RTE's train and dev, with the keys of NAME/keys"),
            new("encrypt name=X eval.tasks=[rte] he.keys=/mnt/owner/keys he.data=/mnt/shared/rte", "to a folder that the cluster reads"),
        ],
        Accepts = Read,
        Keys = ["name", "eval.tasks", "he.set", "he.tokens", "he.batch", "he.keys", "he.data", "he.threads"],
        Done = "the data is encrypted",
    };
}
