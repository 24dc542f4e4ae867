// Whether requests and answers of Azure Resource Manager are as its published specifications say, by
// oav's live validation.
//
//     node arm_judge.mjs MODULES SPECIFICATIONS SPEC...
//
// MODULES is the folder whose node_modules has oav, SPECIFICATIONS that of azure-rest-api-specs that the
// SPECs are in. A line of input is {"id", "liveRequest": {"method", "url", "headers", "body"},
// "liveResponse": {"statusCode", "headers", "body"}}; one of output {"id", "operation", "faults":
// [{"side", "code", "message", "at"}]}. It ends with its input.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, directory, ...specs] = process.argv.slice(2);
const { LiveValidator } = createRequire(modules + "/")("oav/dist/lib/liveValidation/liveValidator.js");

// A specification of Compute defines no errors: an error is then neither right nor wrong.
const unspecified = (issue, status) => issue.code === "INVALID_RESPONSE_CODE" && Number(status) >= 400;

const faultsOf = (side, result, status) => [
    ...(result.runtimeException ? [{ side, ...result.runtimeException, at: [] }] : []),
    ...result.errors.filter((issue) => !unspecified(issue, status)).map((issue) => ({
        side, code: issue.code, message: issue.message, at: issue.pathsInPayload,
    })),
];

async function judge(validator, { id, liveRequest, liveResponse }) {
    const found = await validator.validateLiveRequestResponse({ liveRequest, liveResponse });
    const { requestValidationResult: asked, responseValidationResult: said } = found;
    return {
        id,
        operation: asked.operationInfo.operationId,
        faults: [
            ...(found.runtimeException ? faultsOf("both", { ...found, errors: [] }) : []),
            ...faultsOf("request", asked),
            ...faultsOf("answer", said, liveResponse.statusCode),
        ],
    };
}

const validator = new LiveValidator({
    git: { shouldClone: false },
    directory,
    swaggerPathsPattern: specs,
    excludedSwaggerPathsPattern: [],
    isPathCaseSensitive: false,
    isArmCall: true,
    // A validator is built when the first exchange of its operation comes.
    loadValidatorInBackground: false,
    loadValidatorInInitialize: false,
}, () => {});
await validator.initialize();
for await (const line of createInterface({ input: process.stdin }))
    process.stdout.write(JSON.stringify(await judge(validator, JSON.parse(line))) + "\n");
