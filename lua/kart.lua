-- kart.lua: lets kart-pipeline drive, record and search a game in BizHawk 2.9 or newer, over BizHawk's own socket.
--
-- Start the player or recorder first, then BizHawk with
--   --socket_ip=127.0.0.1 --socket_port=43880 --lua=PATH/kart.lua ROM
-- Nothing else is needed: no DLL, no other file. The protocol is told of in kart_pipeline/games/bizhawk/link/messages.py;
-- Lua's part is to say HELLO and then to answer each command with exactly one message, in one send.
-- Lua 5.3 and 5.4.

local PROTOCOL = 1
local SCRIPT = "1"
local SECONDS = 10 -- as long the player may think before it counts as lost
local HELLO_SECONDS = 3 -- as long one may take that listens and has no time yet: the game stands still meanwhile
local SELF = {} -- its address tells this run of the script from others
local RETRY = 300 -- frames from one look for a player to the next
local OFTEN, SELDOM, RETRY_LATE = 24, 40, 1800 -- so many looks at that pace, so many at a slower one, and then no more

local DEVICE = 1 -- the first pad
local axes_held = {} -- by name: true where a sticky value of ours is on an axis
local pad = nil -- what is held: { buttons = {name = truth}, axes = {name = number} }, or nil: the person's own
local reads = {} -- what is read of the memory with every answer
local states = {} -- by name: true where BizHawk keeps one in memory for the player
local hurried = false

-- What people are told -------------------------------------------------------------------------------------------

local function say(text)
  console.log("kart: " .. text)
  pcall(function() gui.addmessage("kart: " .. text) end)
end

-- JSON, as much as is needed -------------------------------------------------------------------------------------

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function json(value)
  local kind = type(value)
  if kind == "string" then
    return '"' .. value:gsub('[%c"\\]', function(c) return ESCAPES[c] or string.format("\\u%04x", c:byte()) end) .. '"'
  elseif kind == "number" then
    if value ~= value or value == math.huge or value == -math.huge then return "null" end
    if math.type(value) == "integer" then return string.format("%d", value) end
    return string.format("%.9g", value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "table" then
    local names, parts = {}, {}
    for name in pairs(value) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do parts[#parts + 1] = json(name) .. ":" .. json(value[name]) end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  return "null"
end

-- The pad --------------------------------------------------------------------------------------------------------

local function whole(value) -- BizHawk unsets an axis that is no integer, and beyond a byte it would turn round
  local number = math.floor(value + 0.5)
  return math.tointeger(math.max(-128, math.min(127, number)))
end

local function set_axes(axes)
  if joypad.set_analog ~= nil then -- for one frame, over the person's stick
    joypad.set_analog(axes)
    return
  end
  joypad.setanalog(axes)
  for name in pairs(axes) do axes_held[name] = true end
end

local function press() -- for the next frame: BizHawk forgets it after that
  if pad == nil then return end
  joypad.set(pad.buttons)
  if next(pad.axes) ~= nil then set_axes(pad.axes) end
end

local function release()
  pad = nil
  local free = {}
  for name in pairs(axes_held) do free[name] = "" end -- an empty text takes a sticky value away
  if next(free) ~= nil then joypad.setanalog(free) end
  axes_held = {}
end

local function own_pad() -- how the person's pad stands, whatever is pressed from here
  local found = {}
  for name, value in pairs(joypad.getimmediate()) do
    if type(value) == "boolean" then found[name] = value
    elseif tonumber(value) then found[name] = whole(tonumber(value)) end
  end
  return found
end

-- The game -------------------------------------------------------------------------------------------------------

local function read_number(spec)
  local from, at, domain = memory, spec.address, spec.domain
  if domain == "" then from, domain = mainmemory, nil end
  if spec.type == "f32" then
    if domain then return from.readfloat(at, spec.big, domain) end
    return from.readfloat(at, spec.big)
  end
  local name = "read_" .. spec.type
  if spec.type ~= "u8" and spec.type ~= "s8" then name = name .. (spec.big and "_be" or "_le") end
  if domain then return from[name](at, domain) end
  return from[name](at)
end

local function numbers()
  local found = {}
  for _, spec in ipairs(reads) do found[spec.key] = read_number(spec) end
  return found
end

local function about_frame()
  return json({ frame = emu.framecount(), lag = emu.islagged(), numbers = numbers(), held = own_pad() })
end

local function advance(frames)
  for _ = 1, frames do
    press()
    emu.frameadvance()
  end
end

local function hurry(on, unseen) -- unseen: nobody asks for a picture, so that none need be drawn
  hurried = on
  if client.invisibleemulation ~= nil then client.invisibleemulation(on and unseen == true) end
  emu.limitframerate(not on)
  client.SetSoundOn(not on)
end

-- Commands: each returns its answer, or "shot" for the picture -----------------------------------------------------

local SHOT = {}

local function fields(text)
  local found = {}
  for name, value in text:gmatch("([%w_]+)=([^;]*)") do found[name] = value end
  return found
end

local function parsed_pad(given)
  if given.own == "1" then return nil end
  local made = { buttons = {}, axes = {} }
  for name in (given.down or ""):gmatch("[^,]+") do made.buttons[name] = true end
  for name in (given.up or ""):gmatch("[^,]+") do made.buttons[name] = false end
  for name, value in (given.axes or ""):gmatch("([^,:]+):(%-?%d+)") do made.axes[name] = whole(tonumber(value)) end
  return made
end

local COMMANDS = {}

function COMMANDS.STEP(rest)
  local given = fields(rest)
  local frames = math.tointeger(tonumber(given.n or "1")) or 1
  local wanted = parsed_pad(given)
  if wanted == nil then release() else pad = wanted end
  if given.at ~= "start" then
    advance(frames)
    return given.shot == "1" and SHOT or about_frame()
  end
  return given.shot == "1" and SHOT or about_frame(), frames
end

function COMMANDS.INFO() return about_frame() end

function COMMANDS.READ(rest)
  local wanted = {}
  for key, domain, address, kind, order in rest:gmatch("([^;@]+)@([^;:]*):(%d+):(%w+):(%w+)") do
    wanted[#wanted + 1] =
      { key = key, domain = domain, address = math.tointeger(tonumber(address)), type = kind, big = order == "big" }
  end
  reads = wanted
  return about_frame()
end

function COMMANDS.SAVE(path)
  if path == "" then
    local name = memorysavestate.savecorestate()
    states[name] = true
    return json({ state = "memory:" .. name })
  end
  savestate.save(path)
  return json({ state = path })
end

local function kept_state(name) -- BizHawk itself is silent about one that is not there
  local kept = name:match("^memory:(.*)$")
  if kept and not states[kept] then error("the state " .. name .. " is not kept in memory", 0) end
  return kept
end

function COMMANDS.LOAD(name)
  local kept = kept_state(name)
  if kept then
    memorysavestate.loadcorestate(kept)
  elseif savestate.load(name) == false then
    error("the save state " .. name .. " could not be loaded", 0)
  end
  return about_frame()
end

function COMMANDS.FORGET(name)
  local kept = kept_state(name)
  if kept then
    states[kept] = nil
    memorysavestate.removestate(kept)
  end
  return json({ done = true })
end

function COMMANDS.HURRY(rest)
  hurry(rest ~= "0", rest == "2")
  return json({ done = true })
end

function COMMANDS.RELEASE()
  release()
  return json({ done = true })
end

function COMMANDS.TEXT(text)
  say(text)
  return json({ done = true })
end

-- The link -------------------------------------------------------------------------------------------------------

local function send(text) return (comm.socketServerSend(text) or -1) >= 0 end

local function send_shot()
  local fine, told = pcall(comm.socketServerScreenShot)
  return fine and told == "Screenshot was sent"
end

local function response(seconds) -- "" for every error; the timeout is set anew, for BizHawk loses it where it reconnects
  comm.socketServerSetTimeout(seconds * 1000)
  return comm.socketServerResponse() or ""
end

local function hello()
  local function features()
    return {
      set_analog = joypad.set_analog ~= nil,
      memory_states = memorysavestate ~= nil,
    }
  end
  return "HELLO "
    .. json({
      protocol = PROTOCOL,
      script = SCRIPT,
      id = tostring(SELF),
      bizhawk = client.getversion(),
      lua = _VERSION,
      system = emu.getsystemid(),
      rom = gameinfo.getromname(),
      hash = gameinfo.getromhash(),
      width = client.bufferwidth(),
      height = client.bufferheight(),
      frame = emu.framecount(),
      features = features(),
    })
end

local function answer(command) -- whether the player is still there
  local verb, rest = command:match("^(%u+) ?(.*)$")
  local run = verb and COMMANDS[verb]
  if run == nil then return send("ERR " .. json({ message = "kart.lua does not know the command " .. command })) end
  local fine, result, after = pcall(run, rest)
  if not fine then return send("ERR " .. json({ message = tostring(result) })) end
  local there
  if result == SHOT then there = send_shot() else there = send(result) end
  if after then advance(after) end -- while the player thinks
  return there
end

-- One conversation; returns "bye" or "lost", and what was said.
local function converse()
  if not send(hello()) then return "lost" end
  local first = response(HELLO_SECONDS)
  if first:match("^BYE") then
    send("BYE") -- the player may hang up now
    return "bye", first:sub(5)
  end
  if not first:match("^OK") then return "lost" end
  say("a player is connected.")
  while true do
    local command = response(SECONDS)
    if command == "" then return "lost" end -- every error of BizHawk's comes as an empty text
    if command:match("^BYE") then
      release()
      send("BYE")
      return "bye", command:sub(5)
    end
    if not answer(command) then return "lost" end
  end
end

local function calm() -- nothing of ours is pressed, nothing is fast
  pcall(release)
  if hurried then pcall(hurry, false) end
  for name in pairs(states) do pcall(memorysavestate.removestate, name) end
  reads, states = {}, {}
end

local function reconnected()
  return pcall(function() comm.socketServerSetPort(comm.socketServerGetPort()) end)
end

local function wait_for_player() -- whether one came; the game goes on meanwhile
  for look = 1, OFTEN + SELDOM do
    for _ = 1, look <= OFTEN and RETRY or RETRY_LATE do emu.frameadvance() end
    if reconnected() then return true end
  end
  return false
end

local function main()
  if not pcall(comm.socketServerIsConnected) then
    say("start BizHawk with --socket_ip=127.0.0.1 --socket_port=43880, both; without them it has no socket.")
    return
  end
  if client.frameskip ~= nil then client.frameskip(0) end -- frames that are skipped are not drawn
  while true do
    local fine, how, why = pcall(converse)
    calm()
    if not fine then say("the script stumbled: " .. tostring(how)) end
    if how == "bye" and why and why ~= "" then say(why) end
    say("no player now; the pad is yours. Looking for one every few seconds.")
    if not wait_for_player() then
      say("no player came; run this script again when there is one.")
      return
    end
  end
end

event.onexit(calm)
main()
